import { once } from "node:events"
import { request as startRequest } from "node:http"
import { connect } from "node:net"
import { AppError, maxSessionBytes } from "@serialcast/contract"
import type { DeviceWriter } from "@serialcast/device-stream"
import { createDeferred, createWakeup } from "@serialcast/primitives"
import { checkCounting, countingBytes, eventually, FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { startTestGateway } from "../testing/test-gateway.ts"

const mebibyte = 1024 * 1024

/** A session with a device that takes as many bytes as the test lets it. */
class PlayedWriter implements Pick<DeviceWriter, "write" | "flush"> {
  readonly taken: Uint8Array[] = []
  takenBytes = 0
  /** Bytes that the device has drained, so that as many more may come. */
  #drained = 0
  readonly #changed = createWakeup()
  readonly #signal: AbortSignal
  readonly ended = createDeferred<void>()

  constructor(signal: AbortSignal) {
    this.#signal = signal
    signal.addEventListener("abort", () => this.#changed.wake())
  }

  drain(bytes: number): void {
    this.#drained += bytes
    this.#changed.wake()
  }

  async write(bytes: Uint8Array): Promise<void> {
    while (this.takenBytes + bytes.byteLength > this.#drained + maxSessionBytes) await this.#untilChanged()
    this.taken.push(bytes)
    this.takenBytes += bytes.byteLength
  }

  async flush(): Promise<{ bytes: number }> {
    while (this.#drained < this.takenBytes) await this.#untilChanged()
    return { bytes: this.takenBytes }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.ended.resolve()
  }

  async #untilChanged(): Promise<void> {
    await this.#changed.wait({ signal: this.#signal })
    if (this.#signal.aborted) throw new AppError("cancelled", "The session was given up.")
  }
}

async function start({ clock }: { clock?: FakeClock } = {}) {
  const opened = createDeferred<PlayedWriter>()
  const device = {
    openWriter({ signal }: { signal: AbortSignal }) {
      const writer = new PlayedWriter(signal)
      opened.resolve(writer)
      return writer as unknown as DeviceWriter
    },
  }
  const gateway = await startTestGateway(device, clock === undefined ? {} : { clock })
  return { gateway, opened: opened.promise, url: `${gateway.url}/write?atomic=false` }
}

/** Sends the head of a streamed write over a socket of its own, which takes what the system takes. */
async function connectRaw(port: number, length: number, headers = "") {
  const socket = connect(port, "127.0.0.1")
  await once(socket, "connect")
  socket.write(
    `POST /api/v1/devices/local/uno/write?atomic=false HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${length}\r\n${headers}\r\n`,
  )
  return socket
}

test("ten megabytes for a device that takes nothing stall the client's socket, and cost what the session may hold", async () => {
  const { gateway, opened } = await start()
  await using _gateway = gateway
  const sent = countingBytes(0, 10 * mebibyte)
  const socket = await connectRaw(gateway.port, sent.byteLength)
  socket.write(sent)
  const writer = await opened
  // More never comes: the rest is the client's to hold, but for the buffers of the system and of Node.
  await eventually(() => expect(writer.takenBytes).toBeGreaterThan(maxSessionBytes / 2))
  const stalledAt = writer.takenBytes
  writer.drain(100_000)
  await eventually(() => expect(writer.takenBytes).toBeGreaterThan(stalledAt))
  expect(writer.takenBytes).toBeLessThanOrEqual(maxSessionBytes + 100_000)
  expect(socket.writableLength).toBeGreaterThan(0)

  writer.drain(sent.byteLength)
  const [answer] = await once(socket, "data")
  expect(String(answer)).toMatch(/^HTTP\/1.1 200 OK[^]*"bytes":10485760/)
  expect(checkCounting(Buffer.concat(writer.taken), 0)).toBeUndefined()
  socket.destroy()
})

test("a client that goes away cancels what is left", async () => {
  const { gateway, opened } = await start()
  await using _gateway = gateway
  const socket = await connectRaw(gateway.port, 1_000)
  socket.write("begin")
  const writer = await opened
  await eventually(() => expect(writer.takenBytes).toBe(5))
  socket.destroy()
  await writer.ended.promise
})

test("a client that knows interim answers is missed within seconds, though the device takes nothing of what it sent", async () => {
  const clock = new FakeClock()
  const { gateway, opened } = await start({ clock })
  await using _gateway = gateway
  const socket = await connectRaw(gateway.port, 10 * mebibyte, "Expect: 100-continue\r\n")
  let answers = ""
  socket.setEncoding("latin1").on("data", (part: string) => (answers += part))
  socket.write(new Uint8Array(10 * mebibyte))
  const writer = await opened
  await eventually(() => expect(writer.takenBytes).toBeGreaterThan(maxSessionBytes / 2))
  clock.advance(1_000)
  await eventually(() => expect(answers).toContain("HTTP/1.1 102 Processing\r\n\r\n"))
  let isEnded = false
  void writer.ended.promise.then(() => (isEnded = true))
  socket.destroy()
  await eventually(() => {
    clock.advance(1_000)
    expect(isEnded).toBe(true)
  })
})

test("other clients get one answer only", async () => {
  const clock = new FakeClock()
  const { gateway, opened } = await start({ clock })
  await using _gateway = gateway
  const socket = await connectRaw(gateway.port, 5)
  socket.write("begin")
  const writer = await opened
  await eventually(() => expect(writer.takenBytes).toBe(5))
  clock.advance(10_000)
  writer.drain(5)
  const [answer] = await once(socket, "data")
  expect(String(answer)).toMatch(/^HTTP\/1.1 200 OK/)
  socket.destroy()
})

test("a refusal in the middle is answered although the client still sends", async () => {
  const gateway = await startTestGateway({
    openWriter: () =>
      ({
        write: () => Promise.reject(new AppError("leased", "Somebody else holds the lease.")),
        [Symbol.asyncDispose]: () => Promise.resolve(),
      }) as unknown as DeviceWriter,
  })
  await using _gateway = gateway
  const request = startRequest(`${gateway.url}/write?atomic=false`, { method: "POST" })
  request.write(new Uint8Array(mebibyte))
  const [response] = await once(request, "response")
  expect(response.statusCode).toBe(423)
  request.end(new Uint8Array(mebibyte))
  await once(response.resume(), "end")
})

test("who does not send the rest after a refusal is cut off", async () => {
  const gateway = await startTestGateway({
    openWriter: () =>
      ({
        write: () => Promise.reject(new AppError("leased", "Somebody else holds the lease.")),
        [Symbol.asyncDispose]: () => Promise.resolve(),
      }) as unknown as DeviceWriter,
  })
  await using _gateway = gateway
  const socket = await connectRaw(gateway.port, 1_000)
  socket.write("begin")
  await once(socket, "data")
  await once(socket, "close")
})

test("a client that sends nothing for five minutes is cut off, and its session ends", async () => {
  const clock = new FakeClock()
  const { gateway, opened } = await start({ clock })
  await using _gateway = gateway
  const socket = await connectRaw(gateway.port, 1_000)
  socket.write("begin")
  const writer = await opened
  await eventually(() => expect(writer.takenBytes).toBe(5))
  clock.advance(299_999)
  expect(socket.destroyed).toBe(false)
  clock.advance(1)
  await writer.ended.promise
  await once(socket.resume(), "close")
})

test("a stop ends the session and answers that the outcome is unknown", async () => {
  const { gateway, opened, url } = await start()
  const answer = fetch(url, { method: "POST", body: "begin" })
  await opened
  const stopped = gateway.stop()
  const response = await answer
  expect([response.status, (await response.json()) as unknown]).toMatchObject([504, { code: "no_reply" }])
  await stopped
})

test("JSON is refused: it could only be written whole", async () => {
  const { gateway, url } = await start()
  await using _gateway = gateway
  const headers = { "Content-Type": "application/json" }
  const response = await fetch(url, { method: "POST", headers, body: '{"text":"x"}' })
  expect(response.status).toBe(400)
})
