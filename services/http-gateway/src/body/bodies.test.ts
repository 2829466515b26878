import { once } from "node:events"
import { connect, type Socket } from "node:net"
import type { DeviceWriter } from "@serialcast/device-stream"
import { checkCounting, countingBytes, eventually, FakeClock } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import { startTestGateway } from "../testing/test-gateway.ts"

const mebibyte = 1024 * 1024

/** A gateway in front of a device that takes everything. */
async function start(clock?: FakeClock) {
  const writes: Uint8Array[] = []
  const pieces: Uint8Array[] = []
  const receipt = { from: "", to: "", drainedUs: 1 }
  const device = {
    async write(bytes: Uint8Array) {
      writes.push(bytes)
      return { ...receipt, bytes: bytes.byteLength }
    },
    openWriter() {
      const writer = {
        write: async (bytes: Uint8Array) => void pieces.push(bytes),
        flush: async () => ({ bytes: Buffer.concat(pieces).byteLength }),
        [Symbol.asyncDispose]: async () => {},
      }
      return writer as unknown as DeviceWriter
    },
  }
  const gateway = await startTestGateway(device, clock === undefined ? {} : { clock })
  onTestFinished(() => gateway[Symbol.asyncDispose]())
  return { gateway, writes, pieces }
}

interface Sender {
  readonly socket: Socket
  readonly text: () => string
}

/** Sends the head of a write over a connection of its own. */
async function beginWrite(
  port: number,
  header: string,
  { query = "", from = "127.0.0.1" } = {},
): Promise<Sender> {
  const socket = connect({ port, host: "127.0.0.1", localAddress: from })
  let text = ""
  socket.setEncoding("latin1").on("data", (part: string) => (text += part))
  socket.on("error", () => {})
  onTestFinished(() => void socket.destroy())
  await once(socket, "connect")
  socket.write(
    `POST /api/v1/devices/local/uno/write${query} HTTP/1.1\r\nHost: localhost\r\n${header}\r\n\r\n`,
  )
  return { socket, text: () => text }
}

/** Bytes as chunks of one byte each, with an extension, and a trailer at the end. */
function oneByOne(bytes: Uint8Array): Uint8Array {
  const chunks = Array.from(bytes, (byte) => Buffer.from([...Buffer.from("1;a=b\r\n"), byte, 13, 10]))
  return Buffer.concat([...chunks, Buffer.from("0\r\nX-Trailer: yes\r\n\r\n")])
}

const chunked = "Transfer-Encoding: chunked"

test("a body of one-byte chunks, with extensions and a trailer, is one whole write", async () => {
  const { gateway, writes } = await start()
  const sent = countingBytes(0, 20_000)
  const { socket, text } = await beginWrite(gateway.port, chunked)
  socket.write(oneByOne(sent))
  await eventually(() => expect(text()).toMatch(/^HTTP\/1.1 200 [^]*"bytes":20000/))
  expect(writes.map((bytes) => checkCounting(bytes, 0))).toEqual([undefined])
})

test("one-byte chunks of a streamed write are joined while the device takes what came before", async () => {
  const { gateway, pieces } = await start()
  const sent = countingBytes(0, 20_000)
  const { socket, text } = await beginWrite(gateway.port, chunked, { query: "?atomic=false" })
  socket.write(oneByOne(sent))
  await eventually(() => expect(text()).toMatch(/^HTTP\/1.1 200 [^]*"bytes":20000/))
  expect(checkCounting(Buffer.concat(pieces), 0)).toBeUndefined()
  expect(pieces.length).toBeLessThan(100)
})

test("bodies that are announced, and do not come, take nothing from anybody", async () => {
  const { gateway } = await start()
  for (let n = 0; n < 40; n++) await beginWrite(gateway.port, `Content-Length: ${8 * mebibyte}`)
  const response = await fetch(`${gateway.url}/write`, { method: "POST", body: new Uint8Array(4 * mebibyte) })
  expect(response.status).toBe(200)
})

test("an address whose bodies hold all that it may is refused more of them, but no small one, and others have room", async () => {
  const { gateway, writes } = await start()
  const refused: Sender[] = []
  const senders = await Promise.all(
    Array.from({ length: 8 }, async () => {
      const sender = await beginWrite(gateway.port, `Content-Length: ${8 * mebibyte + 1}`)
      sender.socket.write(new Uint8Array(8 * mebibyte))
      return sender
    }),
  )
  await eventually(() => {
    refused.splice(0, refused.length, ...senders.filter(({ text }) => text() !== ""))
    expect(refused.length).toBeGreaterThanOrEqual(4)
  })
  for (const { text } of refused) expect(text()).toMatch(/^HTTP\/1.1 503 [^]*"code":"overloaded"/)
  const small = await fetch(`${gateway.url}/write`, { method: "POST", body: new Uint8Array(64 * 1024) })
  expect(small.status).toBe(200)
  const other = await beginWrite(gateway.port, `Content-Length: ${4 * mebibyte}`, { from: "127.0.0.2" })
  other.socket.write(new Uint8Array(4 * mebibyte))
  await eventually(() => expect(other.text()).toMatch(/^HTTP\/1.1 200 /))
  expect(writes).toHaveLength(2)
  // What is given up makes room again.
  for (const { socket } of senders) socket.destroy()
  await eventually(async () => {
    const large = await fetch(`${gateway.url}/write`, { method: "POST", body: new Uint8Array(4 * mebibyte) })
    expect(large.status).toBe(200)
  })
})

test.each(["/write", "/settings", "/signals", "/lease"])(
  "a body of %s that does not come in two minutes is answered with 408",
  async (path) => {
    const clock = new FakeClock()
    const { gateway } = await start(clock)
    const socket = connect(gateway.port, "127.0.0.1")
    onTestFinished(() => void socket.destroy())
    const method = path === "/settings" ? "PATCH" : "POST"
    socket.write(
      `${method} /api/v1/devices/local/uno${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nbegin`,
    )
    await eventually(() => expect(clock.pendingTimers).toBe(1))
    clock.advance(119_999)
    expect(socket.bytesRead).toBe(0)
    clock.advance(1)
    const [answer] = await once(socket, "data")
    expect(String(answer)).toMatch(/^HTTP\/1.1 408 [^]*"code":"too_slow"/)
    expect(clock.pendingTimers).toBe(0)
  },
)

test.each(["", "?atomic=false"])(
  "a compressed body of /write%s is refused: it would go out as it is",
  async (query) => {
    const { gateway, writes, pieces } = await start()
    const headers = { "Content-Encoding": "gzip" }
    const response = await fetch(`${gateway.url}/write${query}`, { method: "POST", headers, body: "x" })
    expect([response.status, await response.json()]).toMatchObject([400, { code: "bad_request" }])
    expect([writes, pieces]).toEqual([[], []])
  },
)
