import { once } from "node:events"
import { createReadStream, createWriteStream, type WriteStream } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { createConnection, createServer, type Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { concatBytes } from "@serialcast/primitives"
import { checkCounting, countingBytes } from "@serialcast/testkit"
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest"
import { buildLoad } from "./build-load.ts"
import { type Load, type LoadDevice, startLoad } from "./load.ts"

let folder = ""
let program = ""

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "load-"))
  program = await buildLoad(folder)
}, 60_000)

afterAll(() => rm(folder, { recursive: true }))

/** A device, and a gateway of raw bytes that plays what the test says. */
async function start(): Promise<{ load: Load; device: LoadDevice; port: number; accepted: Promise<Socket> }> {
  const load = await startLoad(program)
  const server = createServer({ noDelay: true }).listen(0, "127.0.0.1")
  onTestFinished(async () => {
    await load[Symbol.asyncDispose]()
    server.close()
  })
  await once(server, "listening")
  const address = server.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  const accepted = once(server, "connection").then(([socket]) => socket as Socket)
  return { load, device: await load.openDevice(), port, accepted }
}

/** It is destroyed while Node still makes sure of its last write, which is an error of the stream then. */
function openForWriting(path: string): WriteStream {
  return createWriteStream(path).on("error", () => {})
}

const raw = (port: number) => ({ protocol: "raw", port, target: "-" }) as const

test("a device sends the counting pattern, and goes on in it", async () => {
  const { device } = await start()
  const terminal = createReadStream(device.path)
  // The terminal is hung up at the end, while it is being read.
  terminal.on("error", () => {})
  const parts: Uint8Array[] = []
  terminal.on("data", (part) => parts.push(new Uint8Array(Buffer.from(part))))
  await device.feed({ bytes: 100_003 })
  await device.feed({ bytes: 1_000, bytesPerSecond: 50_000, chunkBytes: 64 })
  await expect.poll(() => concatBytes(parts).byteLength).toBe(101_003)
  expect(checkCounting(concatBytes(parts), 0)).toBeUndefined()
  terminal.destroy()
})

test("a client is done when it has the bytes, and a byte that is not the device's is a failure", async () => {
  const { device, port, accepted } = await start()
  const client = await device.connect(raw(port))
  const socket = await accepted
  const first = client.until(5_000)
  socket.write(countingBytes(0, 2_003))
  socket.write(countingBytes(2_003, 2_997))
  await first
  const second = client.until(6_000)
  // One byte is missing.
  socket.write(countingBytes(5_001, 1_000))
  await expect(second).rejects.toThrow("a byte from offset 5000 on is not the device's")
})

test("delays are those since a paced device was to send, and are given once", async () => {
  const { load, device, port, accepted } = await start()
  const client = await device.connect(raw(port))
  const socket = await accepted
  await device.feed({ bytes: 640, bytesPerSecond: 64_000, chunkBytes: 64 })
  socket.write(countingBytes(0, 640))
  await client.until(640)
  const { samples, p50Us } = await load.takeDelays()
  // The last 64 of 640 bytes were due 9 ms after the first.
  expect(p50Us).toBeGreaterThan(8_900)
  expect(samples).toBe(1)
  expect((await load.takeDelays()).samples).toBe(0)
})

test("round trips are counted, each with its answer", async () => {
  const { load, device, port, accepted } = await start()
  const client = await device.connect(raw(port))
  const socket = await accepted
  socket.pipe(socket)
  await client.roundTrips({ count: 20, bytes: 16, pauseMs: 0.1 })
  expect((await load.takeDelays()).samples).toBe(20)
})

test("a gateway that closes or refuses is told as what it is", async () => {
  const closing = await start()
  const client = await closing.device.connect(raw(closing.port))
  const waiting = client.until(1)
  ;(await closing.accepted).end()
  await expect(waiting).rejects.toThrow("the gateway closed the connection")
  const refusing = await start()
  const connecting = refusing.device.connect({ ...raw(refusing.port), protocol: "websocket", target: "/ws" })
  ;(await refusing.accepted).write("HTTP/1.1 403 Forbidden\r\n\r\n")
  await expect(connecting).rejects.toThrow("refused: HTTP/1.1 403 Forbidden")
})

test("a subscriber reads the payloads of its topic, whatever their length and wherever packets are cut", async () => {
  const { load, device, port, accepted } = await start()
  const connecting = device.connect({ protocol: "mqtt", port, target: "serialcast/local/d0/rx" })
  const socket = await accepted
  // CONNACK, SUBACK.
  socket.write(Uint8Array.of(0x20, 2, 0, 0, 0x90, 3, 0, 1, 0))
  const client = await connecting
  await device.feed({ bytes: 640, bytesPerSecond: 64_000, chunkBytes: 64 })
  const sent = concatBytes([publication(countingBytes(0, 100)), publication(countingBytes(100, 540))])
  socket.write(sent.subarray(0, 127))
  await client.until(100)
  socket.write(sent.subarray(127))
  await client.until(640)
  expect((await load.takeDelays("raw")).samples).toBe(0)
  expect((await load.takeDelays("mqtt")).samples).toBe(2)
  // One byte is missing.
  socket.write(publication(countingBytes(641, 10)))
  await expect(client.until(641)).rejects.toThrow("a byte from offset 640 on is not the device's")
})

test("a subscription that is refused is told as that", async () => {
  const { device, port, accepted } = await start()
  const connecting = device.connect({ protocol: "mqtt", port, target: "serialcast/local/d0/rx" })
  ;(await accepted).write(Uint8Array.of(0x20, 2, 0, 0, 0x90, 3, 0, 1, 0x80))
  await expect(connecting).rejects.toThrow("SUBSCRIBE was refused")
})

/** PUBLISH with QoS 0; a short remaining length has one byte, a longer one as many as it needs. */
function publication(payload: Uint8Array): Uint8Array {
  const topic = new TextEncoder().encode("serialcast/local/d0/rx")
  const length = 2 + topic.byteLength + payload.byteLength
  const head = [0x30]
  for (let rest = length; ; rest >>= 7) {
    head.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest)
    if (rest <= 0x7f) break
  }
  return concatBytes([Uint8Array.from([...head, 0, topic.byteLength]), topic, payload])
}

test("what a client sends is the counting pattern, and a device that gets another byte says so", async () => {
  const { device, port, accepted } = await start()
  const client = await device.connect(raw(port))
  const socket = await accepted
  const terminal = openForWriting(device.path)
  socket.pipe(terminal)
  await client.send(100_003)
  await client.send(100_000)
  await device.received(200_003)
  expect(await device.receivedInAll()).toEqual({ bytes: 200_003 })
  // One byte comes twice.
  terminal.write(countingBytes(200_002, 10))
  await expect(device.received(200_010)).rejects.toThrow(
    "a byte from 200003 on is not what was written to the device",
  )
  terminal.destroy()
})

test("the ends of a cable send what the other one gets, both ways, however slowly it is read", async () => {
  const { load, device: near } = await start()
  const far = await load.openDevice()
  await near.join(far)
  const server = await load.serve()
  const socket = createConnection(server.port, "127.0.0.1")
  const target = await server.accept(far)
  const into = openForWriting(near.path)
  const out = createReadStream(far.path)
  out.on("error", () => {})
  socket.pipe(into)
  out.pipe(socket)
  await Promise.all([target.send(300_000), target.until(300_000)])
  expect(await target.settled()).toEqual({ bytes: 300_000 })
  for (const stream of [socket, into, out]) stream.destroy()
})
