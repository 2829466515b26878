import { once } from "node:events"
import type { Socket } from "node:net"
import { checkCounting, countingBytes, eventually } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { connectRaw, portOf } from "./testing/raw-client.ts"
import { startCable, startTarget, type TestCable } from "./testing/serialtcp-cable.ts"

const mebibyte = 1024 * 1024
const ascii = (text: string) => new TextEncoder().encode(text)

const echo = (socket: Socket) => void socket.pipe(socket)

/** `once` would reject at a reset. */
const closed = (socket: Socket) => new Promise((resolve) => socket.once("close", resolve))

const connectTo = ({ running }: TestCable) => connectRaw(portOf(running.all))

/** All that a socket gets until its FIN. */
async function readAll(socket: Socket): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const part of socket.iterator({ destroyOnReturn: false })) parts.push(part)
  return new Uint8Array(Buffer.concat(parts))
}

test("a connection reaches the target through the cable, and the next one too", async () => {
  await using target = await startTarget(echo)
  await using cable = await startCable(target.port)
  for (const text of ["first", "second", "third"]) {
    const client = await connectTo(cable)
    client.socket.write(text)
    expect(await client.read(text.length)).toEqual(ascii(text))
    client.socket.end()
    expect(await client.ended).toBe("fin")
  }
  const [server, dialer] = cable.running.all.served().tunnels
  expect(server!.totals).toMatchObject({ clients: 3, refusedClients: 0, fromClients: 16, toClients: 16 })
  expect(dialer!.totals).toMatchObject({ clients: 3, fromClients: 16, toClients: 16 })
})

test("a megabyte of all byte values comes through whole, both ways at the same time", async () => {
  await using target = await startTarget()
  await using cable = await startCable(target.port)
  const client = await connectTo(cable)
  const far = await target.accept()
  const got = readAll(far)
  const bytes = countingBytes(0, mebibyte)
  far.write(bytes)
  client.socket.write(bytes)
  checkCounting(await client.read(mebibyte), 0)
  client.socket.end()
  const received = await got
  expect(received.byteLength).toBe(mebibyte)
  checkCounting(received, 0)
})

test("a target that refuses resets the client; the next one is tried again", async () => {
  const gone = await startTarget()
  const { port } = gone
  await gone[Symbol.asyncDispose]()
  await using cable = await startCable(port)
  for (let times = 0; times < 2; times++) {
    const client = await connectTo(cable)
    expect(await client.ended).toBe("reset")
    expect(client.received).toBe(0)
  }
})

test("a client's FIN reaches the target, and what the target answers to it reaches the client", async () => {
  await using target = await startTarget()
  await using cable = await startCable(target.port)
  const client = await connectTo(cable)
  const far = await target.accept()
  client.socket.end("question")
  far.write("before ")
  expect(await client.read(7)).toEqual(ascii("before "))
  far.write("answer")
  expect(await client.read(6)).toEqual(ascii("answer"))
  expect(await readAll(far)).toEqual(ascii("question"))
  far.end()
  expect(await client.ended).toBe("fin")
})

test("what a program sends before it closes (socat -u) arrives, and then its end", async () => {
  await using target = await startTarget()
  await using cable = await startCable(target.port)
  const client = await connectTo(cable)
  const far = await target.accept()
  // As sendall() and close() do.
  client.socket.end(countingBytes(0, 100_000), () => client.socket.destroy())
  const received = await readAll(far)
  expect(received.byteLength).toBe(100_000)
  expect(checkCounting(received, 0)).toBeUndefined()
})

test("the cable has no half close: what a target answers to the end itself does not come back, and is counted", async () => {
  await using target = await startTarget()
  await using cable = await startCable(target.port, { graceMs: 200 })
  const client = await connectTo(cable)
  const far = await target.accept()
  client.socket.end("question")
  expect(await readAll(far)).toEqual(ascii("question"))
  far.end("too late")
  expect(await client.ended).toBe("fin")
  expect(client.received).toBe(0)
  await eventually(() => {
    const [server, dialer] = cable.running.all.served().tunnels
    expect(server!.totals).toMatchObject({ fromClients: 8, refusedBytes: 0 })
    expect(dialer!.totals).toMatchObject({ toClients: 8, fromClients: 0, refusedBytes: 8 })
  })
})

test("a target's FIN reaches the client with everything before it", async () => {
  await using target = await startTarget((socket) => void socket.end("goodbye"))
  await using cable = await startCable(target.port)
  for (let times = 0; times < 5; times++) {
    const client = await connectTo(cable)
    expect(await client.read(7)).toEqual(ascii("goodbye"))
    expect(await client.ended).toBe("fin")
    client.socket.end()
  }
})

test("a reset on either side resets the other side's connection, and the cable is free again", async () => {
  await using target = await startTarget()
  await using cable = await startCable(target.port)
  const client = await connectTo(cable)
  const far = await target.accept()
  client.socket.write("x")
  await once(far, "data")
  const farClosed = closed(far)
  far.resume()
  client.socket.resetAndDestroy()
  await farClosed
  expect(far.readableEnded).toBe(false)
  const next = await connectTo(cable)
  const nextFar = await target.accept()
  nextFar.write("y")
  await next.read(1)
  nextFar.resetAndDestroy()
  expect(await next.ended).toBe("reset")
  await cable.untilIdle()
})

test("a cable that is unplugged resets both connections; plugged in again it works, and gets nothing stale", async () => {
  await using target = await startTarget()
  await using cable = await startCable(target.port)
  const client = await connectTo(cable)
  const far = await target.accept()
  client.socket.write("before")
  await once(far, "data")
  const reset = closed(far)
  await cable.far.unplug()
  await reset
  const { tunnels } = cable.running.all.served()
  expect(tunnels[1]).toMatchObject({ problem: { code: "device_offline" }, clientCount: 0 })
  client.socket.write("stale")
  await cable.plugIn()
  expect(await client.ended).toBe("reset")
  const next = await connectTo(cable)
  const nextFar = await target.accept()
  next.socket.end("fresh")
  expect(await readAll(nextFar)).toEqual(ascii("fresh"))
  nextFar.end()
  expect(await next.ended).toBe("fin")
  expect(cable.running.all.served().tunnels.map(({ problem }) => problem)).toEqual([null, null])
})

test("while one client has the cable the next ones wait, and are served in their order", async () => {
  await using target = await startTarget(echo)
  await using cable = await startCable(target.port)
  const first = await connectTo(cable)
  first.socket.write("1")
  await first.read(1)
  const second = await connectTo(cable)
  second.socket.write("22")
  const third = await connectTo(cable)
  third.socket.write("333")
  await eventually(() => expect(cable.running.all.served().tunnels[0]!.clientCount).toBe(3))
  expect(cable.running.all.served().tunnels[0]!.clients.map(({ hasControl }) => hasControl)).toEqual([
    true,
    false,
    false,
  ])
  expect(target.sockets).toHaveLength(1)
  first.socket.end()
  expect(await second.read(2)).toEqual(ascii("22"))
  expect(third.received).toBe(0)
  second.socket.end()
  expect(await third.read(3)).toEqual(ascii("333"))
})

test("a client that waits and leaves costs the others nothing", async () => {
  await using target = await startTarget(echo)
  await using cable = await startCable(target.port)
  const first = await connectTo(cable)
  first.socket.write("1")
  await first.read(1)
  const leaving = await connectTo(cable)
  const last = await connectTo(cable)
  last.socket.write("last")
  leaving.socket.resetAndDestroy()
  await eventually(() => expect(cable.running.all.served().tunnels[0]!.clientCount).toBe(2))
  first.socket.end()
  expect(await last.read(4)).toEqual(ascii("last"))
  expect(target.sockets).toHaveLength(2)
})

test("a server that refuses while it is busy closes the second client at once", async () => {
  await using target = await startTarget(echo)
  await using cable = await startCable(target.port, { whenBusy: "refuse" })
  const first = await connectTo(cable)
  first.socket.write("1")
  await first.read(1)
  const second = await connectTo(cable)
  expect(await second.ended).toBe("fin")
  expect(cable.running.all.served().tunnels[0]!.totals.refusedClients).toBe(1)
  first.socket.write("2")
  expect(await first.read(1)).toEqual(ascii("2"))
})

test("nobody else writes into the cable; while somebody else has the device, the tunnel says so and waits", async () => {
  await using target = await startTarget(echo)
  await using cable = await startCable(target.port)
  await cable.untilIdle()
  const device = cable.running.all.devices.device("local/pty")
  await expect(device.write(ascii("!"), { by: "test" })).rejects.toMatchObject({ code: "leased" })
  const lease = await device.acquireLease({ by: "test", ttlMs: 5_000, steal: true })
  const problem = () => cable.running.all.served().tunnels[0]!.problem?.code
  await eventually(() => expect(problem()).toBe("leased"))
  await lease.release()
  const client = await connectTo(cable)
  client.socket.write("back")
  expect(await client.read(4)).toEqual(ascii("back"))
  expect(problem()).toBeUndefined()
})

test("stopping resets the connection, frees the device and leaves nothing behind", async () => {
  await using target = await startTarget()
  const cable = await startCable(target.port)
  const client = await connectTo(cable)
  const far = await target.accept()
  const farClosed = closed(far)
  // Whichever end stops first, it gets a reset or a FIN.
  far.on("end", () => void far.end())
  far.resume()
  await cable[Symbol.asyncDispose]()
  expect(await client.ended).toBe("reset")
  await farClosed
})
