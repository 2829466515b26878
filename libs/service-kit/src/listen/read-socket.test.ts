import { once } from "node:events"
import { connect, createServer, type Socket } from "node:net"
import { checkCounting, countingBytes, eventually } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import { readSocket } from "./read-socket.ts"

/** Both ends of a connection: the client's, and the one that is read. */
async function connectPair(): Promise<{ client: Socket; served: Socket }> {
  const server = createServer({ allowHalfOpen: true }).listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  const client = connect({ host: "127.0.0.1", port: typeof address === "object" ? (address?.port ?? 0) : 0 })
  const [served] = await once(server, "connection")
  served.on("error", () => {})
  onTestFinished(() => {
    client.destroy()
    served.destroy()
    server.close()
  })
  return { client, served }
}

test("a small segment comes at once, and the end after it", async () => {
  const { client, served } = await connectPair()
  const reading = readSocket(served, new AbortController().signal)
  client.write("AT\r")
  expect(await reading.next()).toMatchObject({ value: Buffer.from("AT\r") })
  client.end()
  expect(await reading.next()).toEqual({ value: undefined, done: true })
  expect(served.writable).toBe(true)
})

test("under load pieces are as large as one write carries, and nothing is missing", async () => {
  const { client, served } = await connectPair()
  const sent = countingBytes(0, 4 * 1024 * 1024)
  client.end(sent)
  let received = 0
  const sizes: number[] = []
  for await (const bytes of readSocket(served, new AbortController().signal)) {
    expect(checkCounting(bytes, received)).toBeUndefined()
    received += bytes.byteLength
    sizes.push(bytes.byteLength)
    // As a device that is slower than the network.
    await new Promise(setImmediate)
  }
  expect(received).toBe(sent.byteLength)
  expect(Math.max(...sizes)).toBe(60_000)
})

test("what is not pulled stalls the client", async () => {
  const { client, served } = await connectPair()
  const reading = readSocket(served, new AbortController().signal)
  client.write("x")
  await reading.next()
  client.write(new Uint8Array(64 * 1024 * 1024))
  // From here on the stream reads no more, and the system's buffers hold some MiB at most.
  await eventually(() => expect(served.readableLength).toBeGreaterThanOrEqual(served.readableHighWaterMark))
  expect(client.writableLength).toBeGreaterThan(0)
  expect(served.readableLength).toBeLessThan(512 * 1024)
})

test.each(["reset", "abort"] as const)(
  "a reading that waits is over at a %s, and leaves no listener",
  async (how) => {
    const { client, served } = await connectPair()
    const stopping = new AbortController()
    const before = served.listenerCount("close")
    const reading = readSocket(served, stopping.signal)
    const next = reading.next()
    if (how === "reset") client.resetAndDestroy()
    else stopping.abort()
    expect(await next).toEqual({ value: undefined, done: true })
    expect(served.listenerCount("close")).toBe(before)
  },
)
