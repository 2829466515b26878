import { once } from "node:events"
import { readdirSync } from "node:fs"
import { connect } from "node:net"
import { setTimeout as pause } from "node:timers/promises"
import { msSince, systemClock } from "@serialcast/primitives"
import { deviceAt } from "@serialcast/serial-agent"
import { checkCounting, countingBytes, eventually } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import { startTestAll, type TestAll, untilOffline } from "../testing/start-test-all.ts"
import { createPtySocket } from "./testing/pty-socket.ts"
import { connectRaw, portOf, rawTunnel } from "./testing/raw-client.ts"

const kibibyte = 1024
const mebibyte = 1024 * kibibyte
const ascii = (text: string) => new TextEncoder().encode(text)

/** Everything, with one raw tunnel to the device `local/pty`. */
function startRaw(
  changes: Parameters<typeof rawTunnel>[0] = {},
  env: Readonly<Record<string, string>> = {},
): Promise<TestAll> {
  return startTestAll(env, { tunnels: [rawTunnel(changes)] })
}

function tunnelOf({ all }: TestAll) {
  return all.served().tunnels[0]!
}

/** Clients that get what the device sends from now on. */
async function connectLive(running: TestAll, count: number) {
  const clients = await Promise.all(Array.from({ length: count }, () => connectRaw(portOf(running.all))))
  const probe = Uint8Array.of(0xff)
  await eventually(async () => {
    await running.pty.write(probe)
    await pause(50)
    for (const client of clients) expect(client.received).toBeGreaterThan(0)
  })
  // Each may have missed some of them.
  const settled = () => JSON.stringify(clients.map(({ received }) => received))
  for (let before = ""; before !== settled(); await pause(100)) before = settled()
  for (const client of clients) await client.read(client.received)
  return clients
}

/** Resolves when the journal has so many bytes of the device. */
async function untilKept({ all }: TestAll, bytes: number): Promise<void> {
  const { signal } = new AbortController()
  const reading = all.devices.device("local/pty").read({ from: { kind: "start" }, signal })
  for await (const { cursor } of reading) if ((cursor?.offset ?? 0) >= bytes) return
}

test("every byte value goes through, both ways", async () => {
  await using running = await startRaw()
  const [client] = await connectLive(running, 1)
  const bytes = Uint8Array.from({ length: 256 }, (_, value) => value)
  client!.socket.write(bytes)
  expect(await running.pty.read(256)).toEqual(bytes)
  await running.pty.write(bytes)
  expect(await client!.read(256)).toEqual(bytes)
  await eventually(() =>
    expect(tunnelOf(running).clients[0]).toMatchObject({ bytes: { fromClient: 256 }, refusedBytes: 0 }),
  )
  client!.socket.destroy()
})

test("8 MiB in each direction at the same time arrive whole", async () => {
  await using running = await startRaw()
  const [client] = await connectLive(running, 1)
  const bytes = countingBytes(0, 8 * mebibyte)
  client!.socket.write(bytes)
  const sent = running.pty.write(bytes, { timeoutMs: 50_000 })
  const toDevice = running.pty.read(bytes.byteLength, { timeoutMs: 50_000 })
  expect(checkCounting(await client!.read(bytes.byteLength), 0)).toBeUndefined()
  expect(checkCounting(await toDevice, 0)).toBeUndefined()
  await sent
  client!.socket.destroy()
})

test("segments of three writers arrive whole, none inside another, in each writer's order", async () => {
  await using running = await startRaw()
  const clients = await connectLive(running, 3)
  const [segmentBytes, segments] = [64, 200]
  const sending = clients.map(async ({ socket }, writer) => {
    for (let index = 0; index < segments; index++) {
      socket.write(new Uint8Array(segmentBytes).fill(writer).fill(index, 1, 2))
      await new Promise(setImmediate)
    }
  })
  const all = await running.pty.read(3 * segments * segmentBytes, { timeoutMs: 30_000 })
  await Promise.all(sending)
  const next = [0, 0, 0]
  for (let at = 0; at < all.byteLength; at += segmentBytes) {
    const segment = all.subarray(at, at + segmentBytes)
    const writer = segment[0]!
    expect(segment).toEqual(new Uint8Array(segmentBytes).fill(writer).fill(next[writer]!++, 1, 2))
  }
  expect(next).toEqual([segments, segments, segments])
  for (const { socket } of clients) socket.destroy()
})

test("the last bytes are replayed, and what follows joins on, while the device goes on sending", async () => {
  const replayBytes = 4 * kibibyte
  await using running = await startRaw({ replayBytes })
  const bytes = countingBytes(0, mebibyte)
  const half = bytes.byteLength / 2
  await running.pty.write(bytes.subarray(0, half))
  await untilKept(running, half)
  const quiet = await connectRaw(portOf(running.all))
  expect(checkCounting(await quiet.read(replayBytes), half - replayBytes)).toBeUndefined()
  const writing = running.pty.write(bytes.subarray(half))
  const busy = await connectRaw(portOf(running.all))
  expect(checkCounting(await quiet.read(half), half)).toBeUndefined()
  await writing
  // The end of the stream tells where this one began.
  await eventually(() => expect(busy.received).toBeGreaterThanOrEqual(replayBytes))
  let received = 0
  await eventually(() => {
    const before = received
    received = busy.received
    expect(received).toBe(before)
  })
  expect(checkCounting(await busy.read(received), bytes.byteLength - received)).toBeUndefined()
  for (const { socket } of [quiet, busy]) socket.destroy()
})

test("a client that ended its side gets the answer to what it sent, and then the end", async () => {
  await using running = await startRaw()
  const [client] = await connectLive(running, 1)
  client!.socket.end(ascii("AT\r"))
  await running.pty.read(3)
  await pause(300)
  await running.pty.write(ascii("OK\r\n"))
  expect(await client!.read(4)).toEqual(ascii("OK\r\n"))
  expect(await client!.ended).toBe("fin")
  await eventually(() => expect(tunnelOf(running).clientCount).toBe(0))
})

test("a client that never reads costs ten others nothing, and is cut off when it is so far behind that bytes are gone", async () => {
  await using running = await startRaw({}, { SERIALCAST_JOURNAL_MAX_BYTES: "1MiB" })
  const frozen = connect({ host: "127.0.0.1", port: portOf(running.all) })
  await once(frozen, "connect")
  frozen.pause()
  // It may be cut off at any time from now on. A reset that comes behind bytes Node takes for an end.
  frozen.on("error", () => {})
  const closed = new Promise((resolve) => frozen.once("close", resolve))
  const clients = await connectLive(running, 10)
  // More than the system buffers for a connection that is not read, and than the journal keeps.
  const bytes = countingBytes(0, 16 * mebibyte)
  const checked = clients.map(async (client) => {
    for (let at = 0; at < bytes.byteLength; at += mebibyte)
      expect(Buffer.compare(await client.read(mebibyte), bytes.subarray(at, at + mebibyte))).toBe(0)
  })
  for (let at = 0; at < bytes.byteLength; at += mebibyte / 4) {
    await running.pty.write(bytes.subarray(at, at + mebibyte / 4), { timeoutMs: 30_000 })
    // With a journal this small a client that merely shares a busy machine could fall out of it as well.
    await eventually(
      () => {
        for (const { received } of clients) expect(received).toBeGreaterThanOrEqual(at)
      },
      { timeoutMs: 30_000 },
    )
  }
  await Promise.all(checked)
  frozen.resume()
  await closed
  expect(frozen.bytesRead).toBeLessThan(bytes.byteLength)
  await eventually(() => expect(tunnelOf(running).clientCount).toBe(10))
  for (const { socket } of clients) socket.destroy()
})

test("a client that sends much more than a slow device takes is stalled, at the cost of bounded memory", async () => {
  await using running = await startTestAll(
    {},
    {
      devices: { slow: { ...deviceAt("sim:echo"), baudRate: 9_600 } },
      tunnels: [rawTunnel({ device: "local/slow" })],
    },
  )
  await eventually(() => expect(running.all.devices.devices.get("local/slow")?.online).toBe(true))
  const before = process.memoryUsage()
  const socket = connect({ host: "127.0.0.1", port: portOf(running.all) })
  await once(socket, "connect")
  const block = new Uint8Array(mebibyte)
  let taken = 0
  for (; taken < 1024; taken++) {
    if (socket.write(block)) continue
    const stalled = new AbortController()
    const timer = systemClock.startTimer(1_500, () => stalled.abort())
    const isDrained = await once(socket, "drain", { signal: stalled.signal }).then(
      () => true,
      () => false,
    )
    timer.cancel()
    if (!isDrained) break
  }
  // The system's buffers of both ends hold some MiB on loopback, far below the gigabyte.
  expect(taken).toBeLessThan(32)
  const after = process.memoryUsage()
  expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(16 * mebibyte)
  socket.destroy()
  await eventually(() => expect(tunnelOf(running).clientCount).toBe(0))
})

test("what a program sends before it closes is written, though the device's answer then resets the connection", async () => {
  await using running = await startTestAll(
    {},
    {
      devices: { slow: { ...deviceAt("sim:echo"), baudRate: 19_200 } },
      tunnels: [rawTunnel({ device: "local/slow" })],
    },
  )
  const stateOf = () => running.all.devices.devices.get("local/slow")
  await eventually(() => expect(stateOf()?.online).toBe(true))
  const socket = connect({ host: "127.0.0.1", port: portOf(running.all) })
  await once(socket, "connect")
  // As sendall() and close() do: nobody is there for what the device sends back.
  socket.end(new Uint8Array(3_000), () => socket.destroy())
  const totals = { fromClients: 3_000, refusedBytes: 0 }
  await eventually(() => expect(tunnelOf(running)).toMatchObject({ clientCount: 0, totals }), {
    timeoutMs: 20_000,
  })
})

test("200 clients that connect, send and vanish, by FIN and by reset, leave nothing behind", async () => {
  const warnings: Error[] = []
  const onWarning = (warning: Error) => warnings.push(warning)
  process.on("warning", onWarning)
  onTestFinished(() => void process.off("warning", onWarning))
  await using running = await startRaw({ maxClients: 1_000 })
  const countResources = () => readdirSync("/proc/self/fd").length + process.getActiveResourcesInfo().length
  let isFlooding = true
  const flooding = (async () => {
    while (isFlooding) {
      await running.pty.write(new Uint8Array(4 * kibibyte))
      await pause(1)
    }
  })()
  const vanish = async (index: number) => {
    const socket = connect({ host: "127.0.0.1", port: portOf(running.all) })
    socket.on("error", () => {})
    await once(socket, "connect")
    socket.write(new Uint8Array(index * 100))
    if (index % 3 > 0) await pause(index % 10)
    if (index % 2 === 0) socket.resetAndDestroy()
    else socket.end().resume()
    await pause(20)
    socket.destroy()
  }
  // A connection may be over for its client before it is accepted.
  const allGone = (clients: number) =>
    eventually(
      () =>
        expect(tunnelOf(running)).toMatchObject({ clientCount: 0, totals: { clients, refusedClients: 0 } }),
      { timeoutMs: 10_000 },
    )
  await vanish(1)
  await allGone(1)
  const before = countResources()
  for (let at = 0; at < 200; at += 10)
    await Promise.all(Array.from({ length: 10 }, (_, index) => vanish(at + index)))
  await allGone(201)
  isFlooding = false
  await flooding
  await eventually(() => expect(countResources() - before).toBeLessThan(8))
  expect(warnings).toEqual([])
})

test("a client is reset when somebody else has control, because TCP cannot say that nothing was written", async () => {
  await using running = await startRaw()
  const [client, watcher] = await connectLive(running, 2)
  const device = running.all.devices.device("local/pty")
  await using _lease = await device.acquireLease({ by: "test", ttlMs: 10_000 })
  client!.socket.write(ascii("reboot\r"))
  expect(await client!.ended).toBe("reset")
  await running.pty.write(ascii("still here"))
  expect(await watcher!.read(10)).toEqual(ascii("still here"))
  expect(running.pty.received).toBe(0)
  expect(tunnelOf(running).totals).toMatchObject({ fromClients: 0, refusedBytes: 7 })
  watcher!.socket.destroy()
})

test("a stop ends clients that are in the middle of everything, in time", async () => {
  const running = await startRaw()
  const [reader, writer] = await connectLive(running, 2)
  writer!.socket.write(new Uint8Array(16 * mebibyte))
  const startMs = systemClock.monotonicMs()
  await running[Symbol.asyncDispose]()
  expect(msSince(systemClock, startMs)).toBeLessThan(5_000)
  await reader!.ended
  await writer!.ended
})

/** Everything, with a device that takes a byte each millisecond, so that much is always on its way to it. */
async function startReplug(onUnplug: "keep" | "close") {
  const plug = createPtySocket()
  onTestFinished(() => plug[Symbol.asyncDispose]())
  const first = await plug.plugIn()
  const running = await startTestAll(
    {},
    {
      devices: { slow: { ...deviceAt(plug.path), charDelayMs: 1 } },
      tunnels: [rawTunnel({ device: "local/slow", onUnplug })],
    },
  )
  onTestFinished(() => running[Symbol.asyncDispose]())
  const { devices } = running.all.devices
  await eventually(() => expect(devices.get("local/slow")?.online).toBe(true))
  return { running, plug, first, devices, client: await connectRaw(portOf(running.all)) }
}

test("nothing of a megabyte that was on its way at the unplug reaches the device that is plugged in then", async () => {
  const { running, plug, first, devices, client } = await startReplug("keep")
  const reader = await connectRaw(portOf(running.all))
  client.socket.write(new Uint8Array(mebibyte).fill(0x61))
  await first.read(100)
  await plug.unplug()
  // Its connection cannot go on behind a hole.
  expect(await client.ended).toBe("reset")
  await untilOffline(running.all, "local/slow")
  const second = await plug.plugIn()
  await eventually(() => expect(devices.get("local/slow")?.online).toBe(true))
  const again = await connectRaw(portOf(running.all))
  again.socket.write(ascii("new"))
  expect(await second.read(3)).toEqual(ascii("new"))
  expect(second.received).toBe(3)
  await second.write(ascii("hello"))
  expect(await reader.read(5)).toEqual(ascii("hello"))
  const { totals } = tunnelOf(running)
  expect(totals.refusedBytes).toBeGreaterThan(0)
  for (const { socket } of [again, reader]) socket.destroy()
})

test("a job that goes on through a short unplug has no hole: it ends there, with a reset", async () => {
  const { running, plug, first, devices, client } = await startReplug("keep")
  const job = countingBytes(0, mebibyte)
  let sent = 0
  const sending = (async () => {
    while (!client.socket.destroyed && sent < job.byteLength) {
      client.socket.write(job.subarray(sent, (sent += 256)))
      await pause(10)
    }
  })()
  expect(checkCounting(await first.read(1_000), 0)).toBeUndefined()
  await plug.unplug()
  const second = await plug.plugIn()
  expect(await client.ended).toBe("reset")
  await sending
  await eventually(() => expect(devices.get("local/slow")?.online).toBe(true))
  // Behind whatever else were on its way.
  const again = await connectRaw(portOf(running.all))
  again.socket.write(ascii("new"))
  expect(await second.read(3)).toEqual(ascii("new"))
  again.socket.destroy()
})

test("who only reads stays connected while the device is unplugged; who writes then is reset, and counted", async () => {
  const { running, plug, devices, client } = await startReplug("keep")
  const reader = await connectRaw(portOf(running.all))
  await plug.unplug()
  await untilOffline(running.all, "local/slow")
  expect(tunnelOf(running).problem).toMatchObject({ code: expect.stringMatching(/offline|failed/) })
  client.socket.write(ascii("lost"))
  expect(await client.ended).toBe("reset")
  expect(tunnelOf(running).totals.refusedBytes).toBe(4)
  const second = await plug.plugIn()
  await eventually(() => expect(devices.get("local/slow")?.online).toBe(true))
  expect(tunnelOf(running).problem).toBeNull()
  await second.write(ascii("back"))
  expect(await reader.read(4)).toEqual(ascii("back"))
  await pause(200)
  reader.socket.write(ascii("new"))
  expect(await second.read(3)).toEqual(ascii("new"))
  reader.socket.destroy()
})

test("with onUnplug: close the client gets the last bytes and the end, and is let in again after the replug", async () => {
  const { running, plug, first, devices, client } = await startReplug("close")
  await first.write(ascii("last words"))
  await client.read(10)
  await plug.unplug()
  expect(await client.ended).toBe("fin")
  await untilOffline(running.all, "local/slow")
  const early = await connectRaw(portOf(running.all))
  expect(await early.ended).toBe("fin")
  const second = await plug.plugIn()
  await eventually(() => expect(devices.get("local/slow")?.online).toBe(true))
  const late = await connectRaw(portOf(running.all))
  late.socket.write(ascii("hi"))
  expect(await second.read(2)).toEqual(ascii("hi"))
  late.socket.destroy()
})
