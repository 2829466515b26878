import { createDeferred } from "@serialcast/primitives"
import { checkCounting, countingBytes, eventually, FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { testEpoch } from "../testing/fake-devices.ts"
import { startTestConsole, streamProtocol } from "../testing/test-console.ts"
import { maxWaiting } from "./write-lane.ts"

const ascii = (text: string) => new TextEncoder().encode(text)
const uno = "/ws?device=local/uno"

test("a stream opens with its place and the state, then gives bytes with their offsets", async () => {
  await using app = await startTestConsole()
  app.devices.sendBytes("local/uno", ascii("before"))
  const client = await app.connect(uno, streamProtocol)
  expect(client.socket.protocol).toBe("serialcast.v1")
  expect(await client.message()).toMatchObject({
    type: "open",
    epoch: testEpoch,
    cursor: `${testEpoch}-6`,
    state: { device: "uno", online: true },
  })
  app.devices.sendBytes("local/uno", ascii("hello"))
  expect(await client.bytes()).toEqual({ offset: 6, bytes: ascii("hello") })
})

test("a client that comes back with its cursor gets what it missed and nothing twice", async () => {
  await using app = await startTestConsole()
  app.devices.sendBytes("local/uno", ascii("one"))
  app.devices.sendBytes("local/uno", ascii("two"))
  const client = await app.connect(`${uno}&from=${testEpoch}-3`, streamProtocol)
  expect(await client.message()).toMatchObject({ type: "open", cursor: `${testEpoch}-3` })
  expect(await client.bytes()).toEqual({ offset: 3, bytes: ascii("two") })
})

test("marks, gaps and changes of state are told", async () => {
  await using app = await startTestConsole()
  const client = await app.connect(uno, streamProtocol)
  await client.message()
  const cursor = { epoch: testEpoch, offset: 0, mark: 1 }
  app.devices.sendEvent("local/uno", {
    kind: "mark",
    cursor,
    timeUs: 1,
    mark: { n: 0, kind: "closed", reason: "unplugged" },
  })
  expect(await client.message()).toMatchObject({ type: "mark", cursor: `${testEpoch}-0.1` })
  const gap = { from: `${testEpoch}-0`, to: `${testEpoch}-9`, bytes: 9, reason: "evicted" } as const
  app.devices.sendEvent("local/uno", { kind: "gap", cursor: { ...cursor, offset: 9, mark: 0 }, gap })
  expect(await client.message()).toEqual({ type: "gap", cursor: `${testEpoch}-9`, gap })
  app.devices.setState({ online: false })
  expect(await client.message()).toMatchObject({ type: "state", state: { online: false } })
})

test("the state of another device is not told", async () => {
  await using app = await startTestConsole()
  const client = await app.connect(uno, streamProtocol)
  await client.message()
  app.devices.setState({ device: "other" })
  app.devices.setState({ online: false })
  expect(await client.message()).toMatchObject({ type: "state", state: { device: "uno" } })
})

test("each write is answered by the number of its frame, or by the id that the client gave it", async () => {
  await using app = await startTestConsole()
  const client = await app.connect(uno, streamProtocol)
  await client.message()
  client.socket.send(Uint8Array.of(0, 255))
  client.socket.send('{"type":"write","id":"mine","text":"AT\\r","ttlMs":500}')
  client.socket.send('{"type":"write","hex":"0"}')
  client.socket.send('{"type":"write","base64":"AP8="}')
  expect(await client.message()).toMatchObject({ type: "receipt", id: "1", bytes: 2, to: `${testEpoch}-2` })
  expect(await client.message()).toMatchObject({ type: "receipt", id: "mine", bytes: 3 })
  expect(await client.message()).toMatchObject({ type: "error", id: "3", code: "bad_hex" })
  expect(await client.message()).toMatchObject({ type: "receipt", id: "4" })
  expect(app.devices.writes.map(({ bytes, options }) => [bytes, options.ttlMs])).toEqual([
    [Uint8Array.of(0, 255), undefined],
    [ascii("AT\r"), 500],
    [Uint8Array.of(0, 255), undefined],
  ])
})

test("writes stay in order while more of them come than may wait", async () => {
  await using app = await startTestConsole()
  const client = await app.connect(uno, streamProtocol)
  await client.message()
  const first = createDeferred<void>()
  app.devices.onWrite = () => first.promise
  const total = 4 * maxWaiting
  // 16 MiB: more than the lane and the kernel's buffers take together.
  for (let index = 0; index < total; index++) client.socket.send(new Uint8Array(64 * 1024).fill(index))
  first.resolve()
  for (let index = 0; index < total; index++) {
    expect(await client.message()).toMatchObject({ type: "receipt", id: String(index + 1) })
  }
  expect(app.devices.writes.map(({ bytes }) => bytes[0])).toEqual(
    Array.from({ length: total }, (_, at) => at),
  )
})

test("a frozen client holds up nobody, takes a bounded number of bytes, and misses none when it thaws", async () => {
  await using app = await startTestConsole()
  const frozen = await app.connect(`${uno}&from=start`, streamProtocol)
  const healthy = await app.connect(`${uno}&from=start`, streamProtocol)
  await frozen.message()
  await healthy.message()
  frozen.socket.pause()
  const chunks = 1024
  for (let index = 0; index < chunks; index++) {
    app.devices.sendBytes("local/uno", countingBytes(index * 60_000, 60_000))
  }
  for (let index = 0; index < chunks; index++) expect((await healthy.bytes()).offset).toBe(index * 60_000)
  // 61 MB were sent; what may be held is the watermark and the kernel's socket buffers.
  expect(app.devices.pulledBytes("local/uno")).toBeLessThan(1.5 * chunks * 60_000)
  frozen.socket.resume()
  for (let index = 0; index < chunks; index++) {
    const { offset, bytes } = await frozen.bytes()
    expect([offset, bytes.byteLength, checkCounting(bytes, offset)]).toEqual([
      index * 60_000,
      60_000,
      undefined,
    ])
  }
})

test.each([
  ["unknown_device", "/ws?device=local/none"],
  ["unknown_device", "/ws?device=nonsense"],
  ["bad_cursor", `${uno}&from=00000000000000bb-0`],
])("%s is told in a frame, and as the reason of the close", async (code, path) => {
  const clock = new FakeClock()
  await using app = await startTestConsole({ clock })
  const client = await app.connect(path, streamProtocol)
  const told = client.message()
  // An address that nobody told of is waited for at first.
  await clock.advanceAsync(5_000)
  expect(await told).toMatchObject({ type: "error", code })
  expect(await client.closed).toMatchObject({ code: 1008, reason: expect.stringContaining(code) })
})

test.each([
  ["with the sub-protocol", streamProtocol, "open"],
  ["without one", {}, "line"],
])(
  "a socket %s that comes before its device was announced waits for it, with its writes",
  async (_, protocol, first) => {
    await using app = await startTestConsole()
    const client = await app.connect("/ws?device=local/late", protocol)
    client.socket.send("early", { binary: true })
    await eventually(() => expect(app.devices.waiting).toBeGreaterThan(1))
    app.devices.setState({ device: "late" })
    if (first === "open") expect(await client.message()).toMatchObject({ type: "open" })
    else expect(await client.text()).toBe("connected")
    await eventually(() => expect(app.devices.writes.map(({ address }) => address)).toEqual(["local/late"]))
  },
)

test("a frame above the limit of a write closes the socket as too big", async () => {
  await using app = await startTestConsole()
  const client = await app.connect(uno, streamProtocol)
  client.socket.send(new Uint8Array(4 * 1024 * 1024 + 8192))
  expect((await client.closed).code).toBe(1009)
})

test("a stop lets the write on its way finish, refuses those that wait, and tells the client to come again", async () => {
  const app = await startTestConsole()
  const client = await app.connect(uno, streamProtocol)
  await client.message()
  const write = createDeferred<void>()
  const started = createDeferred<void>()
  app.devices.onWrite = () => {
    started.resolve()
    return write.promise
  }
  client.socket.send(ascii("first"))
  client.socket.send(ascii("second"))
  await started.promise
  const stopped = app.running.stop()
  write.resolve()
  expect(await client.message()).toMatchObject({ type: "receipt", id: "1" })
  expect(await client.message()).toMatchObject({ type: "error", id: "2", code: "expired" })
  expect((await client.closed).code).toBe(1001)
  await stopped
})
