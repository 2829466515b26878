import { once } from "node:events"
import { connect } from "node:net"
import type { QuietEvent, StreamEvent } from "@serialcast/device-stream"
import { createDeferred } from "@serialcast/primitives"
import { eventually, FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { bytesAt, cursorAt, startTestGateway, testEpoch } from "../testing/test-gateway.ts"

/** A device that sent these, and is silent then. */
function silentAfter(...events: readonly (StreamEvent | QuietEvent)[]) {
  return {
    async *read({ signal }: { signal: AbortSignal }): AsyncGenerator<StreamEvent> {
      if (signal.aborted) return
      yield { kind: "positioned", cursor: cursorAt(0) }
      // Told to who wants it.
      yield* events as StreamEvent[]
      await new Promise((resolve) => signal.addEventListener("abort", resolve))
    },
  }
}

/** The text of a stream as it comes in. */
async function follow(url: string): Promise<{ text(): string; leave(): void }> {
  const leaving = new AbortController()
  const { body } = await fetch(url, { signal: leaving.signal })
  let text = ""
  const reading = (async () => {
    for await (const part of body?.pipeThrough(new TextDecoderStream()) ?? []) text += part
  })()
  // Ends by leaving.
  reading.catch(() => {})
  return { text: () => text, leave: () => leaving.abort() }
}

test("lines are cut as the device's framing says", async () => {
  const framing = { type: "delimiter", delimiter: "3B", maxBytes: 4096 } as const
  await using gateway = await startTestGateway(silentAfter(bytesAt(0, "one;two;")), { state: { framing } })
  const stream = await follow(`${gateway.url}/stream?encoding=lines`)
  const lines = [
    `event: line\ndata: {"t":1000000,"text":"one"}\nid: ${testEpoch}-4\n\n`,
    `event: line\ndata: {"t":1000000,"text":"two"}\nid: ${testEpoch}-8\n\n`,
  ]
  await eventually(() => expect(stream.text()).toContain(lines.join("")))
  stream.leave()
})

test("readers are counted while they read, by device and kind", async () => {
  await using gateway = await startTestGateway(silentAfter())
  const series = async () =>
    (await gateway.metrics.metrics()).match(/^serialcast_http_readers\{.*$/gm)?.sort() ?? []
  const streams = [
    await follow(`${gateway.url}/stream`),
    await follow(`${gateway.url}/stream`),
    await follow(`${gateway.url.replace("/api/v1", "")}/readbytes`),
  ]
  expect(await series()).toEqual([
    'serialcast_http_readers{device="local/uno",kind="hex"} 1',
    'serialcast_http_readers{device="local/uno",kind="stream"} 2',
  ])
  for (const stream of streams) stream.leave()
  await eventually(async () => expect(await series()).toEqual([]))
})

test.each([
  ["the agent tells", 1_050_003, 0],
  ["nothing is heard for a second more", null, 1_050],
])("a silence brings the message that it ends, when %s", async (_title, timeUs, afterMs) => {
  const clock = new FakeClock()
  const framing = { type: "idle", idleMs: 50, maxBytes: 4096 } as const
  const device = silentAfter(bytesAt(0, "one"), bytesAt(3, "two"), { kind: "quiet", timeUs })
  await using gateway = await startTestGateway(device, { state: { framing }, clock })
  const stream = await follow(`${gateway.url}/stream?encoding=lines`)
  await eventually(() => expect(stream.text()).toContain("event: open"))
  if (afterMs > 0) {
    // Its own, and the heartbeat's.
    await eventually(() => expect(clock.pendingTimers).toBe(2))
    clock.advance(afterMs - 1)
    expect(clock.pendingTimers).toBe(2)
    clock.advance(1)
  }
  await eventually(() =>
    expect(stream.text()).toContain(
      `event: line\ndata: {"t":1000000,"text":"onetwo"}\nid: ${testEpoch}-6\n\n`,
    ),
  )
  stream.leave()
  await eventually(() => expect(clock.pendingTimers).toBe(0))
})

test.each(["/api/v1/devices/local/uno/stream", "/devices/local/uno/readbytes"])(
  "%s that is asked for while the service stops gets no answer, which would end an EventSource, but the end of its connection",
  async (path) => {
    const clock = new FakeClock()
    const started = createDeferred<void>()
    const write = () => {
      started.resolve()
      return new Promise<never>(() => {})
    }
    const gateway = await startTestGateway({ ...silentAfter(), write }, { clock })
    // Its connection is there before the stop, and not idle, so that the stop leaves it open.
    const socket = connect(gateway.port, "127.0.0.1")
    socket.write(`GET ${path} HTTP/1.1\r\n`)
    const pending = fetch(`${gateway.url}/write`, { method: "POST", body: "x" })
    await started.promise
    const stopped = gateway.stop()
    let answer = ""
    socket.on("data", (part) => (answer += String(part)))
    socket.on("error", () => {})
    socket.write("Host: localhost\r\n\r\n")
    await once(socket, "close")
    expect(answer).toBe("")
    await clock.advanceAsync(1_500)
    expect((await pending).status).toBe(504)
    await stopped
  },
)

test("while the service stops, nobody is let in any more", async () => {
  const clock = new FakeClock()
  const started = createDeferred<void>()
  const write = () => {
    started.resolve()
    return new Promise<never>(() => {})
  }
  const gateway = await startTestGateway({ ...silentAfter(), write }, { clock })
  const pending = fetch(`${gateway.url}/write`, { method: "POST", body: "x" })
  await started.promise
  const stopped = gateway.stop()
  const socket = connect(gateway.port, "127.0.0.1")
  const [error] = await once(socket, "error")
  expect(error).toMatchObject({ code: "ECONNREFUSED" })
  await clock.advanceAsync(1_500)
  await pending
  await stopped
})

test("an event stream of a device that nobody told of yet begins when somebody does", async () => {
  await using gateway = await startTestGateway(silentAfter(), { isAnnounced: false })
  const begun = follow(`${gateway.url}/stream`)
  const shown = fetch(gateway.url)
  await eventually(() => expect(gateway.waiting).toBe(2))
  gateway.announce()
  const stream = await begun
  await eventually(() => expect(stream.text()).toContain("event: open"))
  expect((await shown).status).toBe(200)
  stream.leave()
})

test("when nobody tells of a device in time, an event stream gets no answer, and others are told why", async () => {
  const clock = new FakeClock()
  await using gateway = await startTestGateway(silentAfter(), { isAnnounced: false, clock })
  const streams = [`${gateway.url}/stream`, gateway.url.replace("/api/v1", "").concat("/readbytes")].map(
    async (url) =>
      await fetch(url).then(
        ({ status }) => status,
        () => "no answer",
      ),
  )
  const shown = fetch(gateway.url)
  await eventually(() => expect(gateway.waiting).toBe(3))
  await clock.advanceAsync(10_000)
  expect(await Promise.all(streams)).toEqual(["no answer", "no answer"])
  expect(await (await shown).json()).toMatchObject({ status: 503, code: "device_offline" })
})
