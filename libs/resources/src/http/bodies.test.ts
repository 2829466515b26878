import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { createDeferred } from "@serialcast/primitives"
import { checkCounting, countingBytes, eventually, FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { startTestServer } from "../testing/test-server.ts"

const head = (line: string, header: string) => `${line} HTTP/1.1\r\nHost: localhost\r\n${header}\r\n\r\n`
const chunked = "Transfer-Encoding: chunked"
const maxBodyBytes = 32_768

/** Bytes as chunks of one byte each, without their end. */
function oneByOne(bytes: Uint8Array): Uint8Array {
  return Buffer.concat(Array.from(bytes, (byte) => Buffer.from([0x31, 13, 10, byte, 13, 10])))
}

test("a body of the greatest size in chunks of one byte is the value", async () => {
  const { connect, store } = await startTestServer()
  const client = await connect()
  client.send(head("PUT /a", chunked))
  client.send(oneByOne(countingBytes(0, maxBodyBytes)))
  expect((await client.ask("0\r\nTrailer: x\r\n\r\n")).status).toBe(204)
  const { value = new Uint8Array(0) } = store.get("/a") ?? {}
  expect([value.byteLength, checkCounting(value, 0)]).toEqual([maxBodyBytes, undefined])
})

test("a body that is sent byte by byte is the value", async () => {
  const { connect, store } = await startTestServer({ maxBodyBytes: 500 })
  const client = await connect()
  client.socket.setNoDelay(true)
  client.send(head("PUT /a", "Content-Length: 500"))
  for (const byte of countingBytes(0, 500)) {
    client.send(Uint8Array.of(byte))
    await new Promise(setImmediate)
  }
  expect((await client.answer()).status).toBe(204)
  expect(checkCounting(store.get("/a")!.value, 0)).toBeUndefined()
})

test("a body of one byte more is refused however it comes, and the connection is good for more when it ended", async () => {
  const { connect, store, events } = await startTestServer()
  const before = store.list()
  const client = await connect()
  client.send(head("PUT /a", chunked))
  client.send(oneByOne(new Uint8Array(maxBodyBytes + 1)))
  expect((await client.ask("0\r\n\r\n")).status).toBe(413)
  client.send(head("POST /a", `Content-Length: ${maxBodyBytes + 1}`))
  expect((await client.ask(new Uint8Array(maxBodyBytes + 1))).status).toBe(413)
  expect((await client.ask(head("GET /a", "X: y"))).body).toBe("0")
  expect(store.list()).toEqual(before)
  await eventually(() =>
    expect(events.map(({ status, body }) => [status, body.length])).toEqual([
      [413, 0],
      [413, 0],
      [200, 0],
    ]),
  )
})

test("who waits for 100-continue sends nothing in vain, and is told to go on where it is wanted", async () => {
  const { connect } = await startTestServer()
  const client = await connect()
  const expecting = (bytes: number) => head("PUT /a", `Content-Length: ${bytes}\r\nExpect: 100-continue`)
  expect((await client.ask(expecting(maxBodyBytes))).status).toBe(100)
  expect((await client.ask(new Uint8Array(maxBodyBytes))).status).toBe(204)
  expect((await client.ask(expecting(maxBodyBytes + 1))).status).toBe(413)
})

test("a client that stops in the middle of a body that was refused is cut off after a second", async () => {
  const clock = new FakeClock()
  const { connect, sockets } = await startTestServer({ clock })
  const client = await connect()
  client.send(`${head("PUT /b", "Content-Length: 10")}1`)
  expect((await client.answer()).status).toBe(404)
  await eventually(() => expect(clock.pendingTimers).toBe(1))
  clock.advance(1_000)
  expect(sockets[0]?.destroyed).toBe(true)
})

test("a client that goes on sending a body that was refused is cut off by how much that is", async () => {
  const { connect } = await startTestServer({ clock: new FakeClock() })
  const client = await connect()
  client.send(head("PUT /a", `Content-Length: ${2 ** 40}`))
  expect((await client.answer()).status).toBe(413)
  const piece = new Uint8Array(64 * 1024)
  const send = () => {
    while (!client.socket.destroyed && client.socket.write(piece));
  }
  client.socket.on("drain", send)
  send()
  await client.closed
})

test("a body that stands still is answered with 408 at the time-out after its last piece, and not before", async () => {
  const clock = new FakeClock()
  const { connect, store, events, sockets } = await startTestServer({ clock, bodyTimeoutMs: 5_000 })
  const before = store.list()
  const client = await connect()
  client.send(head("PUT /a", "Content-Length: 3"))
  await eventually(() => expect(clock.pendingTimers).toBe(2))
  clock.advance(4_999)
  client.send("1")
  await eventually(() => expect(sockets[0]?.bytesRead).toBe(client.socket.bytesWritten))
  clock.advance(4_999)
  expect(clock.pendingTimers).toBe(2)
  clock.advance(1)
  const answer = await client.answer()
  expect([answer.status, answer.headers.get("connection")]).toEqual([408, "close"])
  await client.closed
  expect(store.list()).toEqual(before)
  await eventually(() => expect(events.map(({ status }) => status)).toEqual([408]))
})

test("a body that comes ever so slowly is answered with 408 at the deadline", async () => {
  const { connect } = await startTestServer({ bodyDeadlineMs: 50 })
  const client = await connect()
  expect((await client.ask(`${head("PUT /a", "Content-Length: 3")}12`)).status).toBe(408)
})

test("a head that does not come in time is answered with 408", async () => {
  const { connect } = await startTestServer({ headTimeoutMs: 20 })
  const client = await connect()
  expect((await client.ask("GET /a HTTP/1.1\r\nHost:")).status).toBe(408)
  await client.closed
})

test.each([
  ["less than its length", `${head("PUT /a", "Content-Length: 10")}12`],
  ["less than its chunk", `${head("PUT /a", chunked)}a\r\n12`],
  ["chunks without end", `${head("PUT /a", chunked)}1\r\nx\r\n`],
])("a body of %s is not stored when its client is gone", async (_what, text) => {
  const { connect, store, events, errors } = await startTestServer()
  const before = store.list()
  const client = await connect()
  client.send(text)
  client.socket.end()
  await client.closed
  const other = await connect()
  expect((await other.ask(head("GET /a", "X: y"))).body).toBe("0")
  expect([store.list(), errors]).toEqual([before, []])
  await eventually(() => expect(events).toHaveLength(1))
})

test("what comes behind the length is another request, here none, and no part of the value", async () => {
  const { connect, store } = await startTestServer()
  const client = await connect()
  expect((await client.ask(`${head("PUT /a", "Content-Length: 1")}12`)).status).toBe(204)
  expect((await client.answer()).status).toBe(400)
  expect(store.get("/a")?.value).toEqual(Uint8Array.of(0x31))
})

test.each([
  ["in its turn", ""],
  ["behind a request that takes its time", head("PUT /a", "Content-Length: 0")],
])("32 KiB in chunks of one byte, %s, cost little more than in one piece", async (_what, first) => {
  const count = 8
  const value = new Uint8Array(maxBodyBytes - 1)
  const heldWith = async (body: Uint8Array) => {
    const goOn = createDeferred<void>()
    const { connect, sockets } = await startTestServer({
      wrap: (store) => ({
        ...store,
        size: 0,
        apply: (change) => goOn.promise.then(() => store.applyNow(change)),
      }),
    })
    const clients = await Promise.all(Array.from({ length: count }, connect))
    const before = await heldMemory()
    for (const client of clients) client.send(first + head("PUT /a", chunked))
    for (const client of clients) client.send(body)
    await eventually(() => {
      for (const { socket } of clients) {
        const far = sockets.find(({ remotePort }) => remotePort === socket.localPort)
        expect(far?.bytesRead).toBe(socket.bytesWritten)
      }
    })
    const held = (await heldMemory()) - before
    goOn.resolve()
    for (const client of clients) {
      if (first !== "") expect((await client.answer()).status).toBe(204)
      expect((await client.ask("0\r\n\r\n")).status).toBe(204)
    }
    return held / count
  }
  const size = value.byteLength.toString(16)
  const inOne = await heldWith(Buffer.concat([Buffer.from(`${size}\r\n`), value, Buffer.from("\r\n")]))
  const inMany = await heldWith(oneByOne(value))
  // As objects the bytes would cost a hundred bytes each, and more.
  expect(inMany - inOne).toBeLessThan(4 * maxBodyBytes)
})

/** In bytes, without what nobody holds any more. */
async function heldMemory(): Promise<number> {
  setFlagsFromString("--expose-gc")
  const collect = runInNewContext("gc") as () => void
  // What one collection lets go of the next one frees.
  for (let times = 0; times < 3; times++) {
    collect()
    await new Promise(setImmediate)
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
