import { once } from "node:events"
import { readFile } from "node:fs/promises"
import { type AddressInfo, createServer, type Server, type Socket } from "node:net"
import { networkInterfaces } from "node:os"
import { type Clock, concatBytes, systemClock } from "@serialcast/primitives"
import { eventually, FakeClock } from "@serialcast/testkit"
import { describe, expect, onTestFinished, test } from "vitest"
import { defaultSettings } from "../default-settings.ts"
import { checkDriver, type DriverRig } from "../testing/check-driver.ts"
import { checkGivingBack } from "../testing/check-giving-back.ts"
import { errorOf } from "../testing/error-of.ts"
import { PortRecord } from "../testing/port-record.ts"
import { createTcpDriver } from "./tcp-driver.ts"

/** A device server that reads only what is asked for. */
class TestServer {
  readonly #server: Server
  readonly #sockets: Socket[] = []

  constructor(server: Server) {
    this.#server = server
    server.on("connection", (socket) => {
      this.#sockets.push(socket)
      socket.on("error", () => {})
    })
  }

  get url(): string {
    const { address, family, port } = this.#server.address() as AddressInfo
    return `tcp://${family === "IPv6" ? `[${address}]` : address}:${port}`
  }

  /** Of the newest connection. */
  async socket(): Promise<Socket> {
    return await eventually(() => {
      const socket = this.#sockets.at(-1)
      if (socket === undefined) throw new Error("nobody connected")
      return socket
    })
  }

  async read(count: number): Promise<Uint8Array> {
    const socket = await this.socket()
    const parts: Uint8Array[] = []
    for (let size = 0; size < count; ) {
      const part = socket.read() as Uint8Array | null
      if (part === null) await once(socket, "readable")
      else size += parts[parts.push(part) - 1]!.byteLength
    }
    const all = concatBytes(parts)
    socket.unshift(all.subarray(count))
    // A plain array: Node's Buffer compares unequal to it.
    return Uint8Array.from(all.subarray(0, count))
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, "close")
  }
}

async function startServer(host = "127.0.0.1"): Promise<TestServer> {
  const server = createServer({ allowHalfOpen: true })
  await once(server.listen(0, host), "listening")
  return new TestServer(server)
}

async function connectPort({ host, clock = systemClock }: { host?: string; clock?: Clock } = {}) {
  const server = await startServer(host)
  onTestFinished(() => server.close())
  const heard = new PortRecord()
  const port = await createTcpDriver(server.url, { clock }).open(defaultSettings, heard)
  return { server, heard, port, socket: await server.socket() }
}

async function problemOf(url: string, clock = new FakeClock()): Promise<unknown> {
  return await errorOf(createTcpDriver(url, { clock }).open(defaultSettings, new PortRecord()))
}

/** Lets time go by until `work` is done. */
async function passTime<T>(clock: FakeClock, work: Promise<T>): Promise<T> {
  let isDone = false
  const done = work.finally(() => {
    isDone = true
  })
  while (!isDone) {
    await clock.advanceAsync(250)
    await new Promise(setImmediate)
  }
  return await done
}

// More than the buffers of both sockets hold.
const tooManyBytes = 32 * 1024 * 1024

async function openRig(): Promise<DriverRig> {
  const server = await startServer()
  return {
    driver: createTcpDriver(server.url, { clock: systemClock }),
    deviceReads: (count) => server.read(count),
    async deviceWrites(bytes) {
      const socket = await server.socket()
      await new Promise((resolve) => socket.write(bytes, resolve))
    },
    passTime: (work) => work,
    tooManyBytes,
    [Symbol.asyncDispose]: () => server.close(),
  }
}

describe("a tcp:// port does what every driver promises", () => {
  checkDriver(openRig)
  checkGivingBack(openRig)
})

const hasIpv6 = networkInterfaces()["lo"]?.some(({ address }) => address === "::1") ?? false

test.runIf(hasIpv6)("an IPv6 address is written in brackets", async () => {
  const { server, port } = await connectPort({ host: "::1" })
  expect(server.url).toMatch(/^tcp:\/\/\[::1\]:\d+$/)
  await port.write(Uint8Array.of(7))
  expect(await server.read(1)).toEqual(Uint8Array.of(7))
  await port.close()
})

test("a device server that closes, even one direction only, ends the port, and so does one that resets", async () => {
  const closed = await connectPort()
  closed.socket.end()
  expect(await closed.heard.closed).toEqual({ reason: "the device server closed the connection" })
  await expect(closed.port.write(Uint8Array.of(1))).rejects.toThrow("the port is closed")

  const reset = await connectPort()
  reset.socket.resetAndDestroy()
  expect(await reset.heard.closed).toEqual({ reason: "the device server reset the connection" })
  await reset.port.close()
  expect(reset.heard.closes).toHaveLength(1)
})

test("what came before the end is heard before it", async () => {
  const { socket, heard } = await connectPort()
  socket.end(new Uint8Array(300_000).fill(5))
  await heard.closed
  expect(heard.bytes.byteLength).toBe(300_000)
})

test("a write waits for the device server, and what was written is still delivered after close", async () => {
  const { server, port } = await connectPort()
  const bytes = Uint8Array.from({ length: 100_000 }, (_, at) => at)
  await port.write(bytes)
  await port.drain()
  await port.close()
  expect(await server.read(bytes.byteLength)).toEqual(bytes)
})

test("a device that goes on sending costs nothing of what was written before close, and is heard", async () => {
  const { server, port, socket, heard } = await connectPort({ clock: new FakeClock() })
  // More than the server's system takes: the rest is with ours.
  const bytes = new Uint8Array(256 * 1024).fill(7)
  await port.write(bytes)
  const closing = port.close()
  socket.write("x")
  await eventually(() => expect(heard.bytes.byteLength).toBe(1))
  expect(await server.read(bytes.byteLength)).toEqual(bytes)
  socket.end()
  await closing
  expect(heard.closes).toEqual([{ reason: "closed by the agent" }])
})

test("a device server that does not end its side is waited for half a second after the last byte", async () => {
  const clock = new FakeClock()
  const { port } = await connectPort({ clock })
  await port.write(Uint8Array.of(1))
  const closing = port.close()
  await clock.advanceAsync(500)
  await closing
  expect(clock.pendingTimers).toBe(0)
})

test("a write is drained when the device server's system has it, and not while that takes none of it", async () => {
  const clock = new FakeClock()
  const { server, port } = await connectPort({ clock })
  const bytes = new Uint8Array(tooManyBytes).fill(7)
  const small = Uint8Array.of(1, 2, 3)
  await port.write(small)
  await passTime(clock, port.drain())
  const stop = new AbortController()
  const write = port.write(bytes, stop.signal)
  await server.read(small.byteLength + 1)
  stop.abort()
  const taken = await write
  let isDrained = false
  const drain = port.drain().then(() => {
    isDrained = true
  })
  for (let n = 0; n < 20; n++) await passTime(clock, readFile("/proc/net/tcp"))
  expect(isDrained).toBe(false)
  await server.read(taken - 1)
  await passTime(clock, drain)
})

test("a drain that waits ends with the connection, and by a purge", async () => {
  const { port, socket } = await connectPort()
  void errorOf(port.write(new Uint8Array(tooManyBytes)))
  await eventually(() => expect(socket.readableLength).toBeGreaterThan(0))
  const purged = port.drain()
  await port.purge()
  await purged
  const ended = errorOf(port.drain())
  socket.resetAndDestroy()
  expect(await ended).toEqual(new Error("the device server reset the connection"))
})

test("a write that waits ends with the connection, for its reason", async () => {
  const { socket, port } = await connectPort()
  const write = port.write(new Uint8Array(tooManyBytes))
  const problem = errorOf(write)
  await eventually(() => expect(socket.readableLength).toBeGreaterThan(0))
  socket.resetAndDestroy()
  expect(await problem).toEqual(new Error("the device server reset the connection"))
})

test("a purge drops what the socket was not given, and lets the write go on", async () => {
  const { socket, port } = await connectPort()
  const write = port.write(new Uint8Array(tooManyBytes))
  await eventually(() => expect(socket.readableLength).toBeGreaterThan(0))
  await port.purge()
  await write
  let received = 0
  const ended = once(socket, "end")
  socket.on("data", (bytes: Uint8Array) => {
    received += bytes.byteLength
  })
  await port.drain()
  await port.close()
  await ended
  expect(received).toBeLessThan(tooManyBytes)
})

test("a device server that does not read holds up no close, not even after a purge", async () => {
  const { socket, port } = await connectPort()
  const write = port.write(new Uint8Array(tooManyBytes))
  await eventually(() => expect(socket.readableLength).toBeGreaterThan(0))
  await port.purge()
  await write
  await port.close()
})

test("purges add up to a bounded number of bytes for a device server that does not read: then the port ends", async () => {
  const { socket, port, heard } = await connectPort()
  const ending = heard.closed.then(({ reason }) => reason)
  const filling = port.write(new Uint8Array(tooManyBytes))
  await eventually(() => expect(socket.readableLength).toBeGreaterThan(0))
  await port.purge()
  await filling
  for (let n = 0; n < 100 && heard.closes.length === 0; n++) {
    const write = errorOf(port.write(new Uint8Array(16 * 1024)))
    await port.purge().catch(() => {})
    await write
  }
  expect(await ending).toBe("the device server does not read what it is sent")
})

test("its settings are those of the device server", async () => {
  const { port } = await connectPort()
  await port.configure({ ...defaultSettings })
  const changing = port.configure({ ...defaultSettings, baudRate: 9_600 })
  await expect(changing).rejects.toMatchObject({ code: "unsupported" })
  await port.close()
})

describe("what keeps it from opening is one clear sentence:", () => {
  test("nobody listens", async () => {
    const server = await startServer()
    const { url } = server
    await server.close()
    expect(await problemOf(url)).toMatchObject({
      code: "open_failed",
      message: `${url} refuses connections; start the device server, or correct the number after the colon.`,
    })
  })

  test("the name is not known", async () => {
    const message =
      "The name no-such.invalid is not known here; correct it, or use the address of the device server."
    expect(await problemOf("tcp://no-such.invalid:4001")).toMatchObject({ message })
  })

  test("nobody answers within five seconds", async () => {
    const clock = new FakeClock()
    // RFC 5737 keeps this address free; a network that says so at once is right as well.
    const problem = problemOf("tcp://192.0.2.1:4001", clock)
    await clock.advanceAsync(5_000)
    expect(await problem).toMatchObject({
      message: expect.stringMatching(/did not answer within 5 s|cannot be reached/),
    })
    expect(clock.pendingTimers).toBe(0)
  })
})
