import { formatCursor } from "@serialcast/contract"
import { comparePositions, type HistoryOptions, type StreamEvent } from "@serialcast/device-stream"
import { createDeferred } from "@serialcast/primitives"
import { eventually, FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { collectPart } from "../history/collect-part.ts"
import { bytesAt, cursorAt, startTestGateway, testEpoch } from "../testing/test-gateway.ts"

const at = (offset: number, mark = 0) => formatCursor(cursorAt(offset, mark))

/** A stream of `abcdef`, a part that is not kept, `klm`, a reopened port, `no`. */
const stream: readonly StreamEvent[] = [
  bytesAt(0, "abc"),
  { kind: "mark", cursor: cursorAt(3, 1), timeUs: 1, mark: { n: 0, kind: "leased", holder: "me" } },
  bytesAt(3, "def"),
  {
    kind: "gap",
    cursor: cursorAt(10),
    gap: { from: at(6), to: at(10), bytes: 4, reason: "evicted" },
  },
  bytesAt(10, "klm"),
  { kind: "gap", cursor: cursorAt(13), gap: { from: at(13), to: at(13), bytes: null, reason: "unread" } },
  { kind: "mark", cursor: cursorAt(13, 1), timeUs: 1, mark: { n: 0, kind: "opened", open: 2 } },
  bytesAt(13, "no"),
]

/** What `Device.history` answers for that stream. */
async function* history({ from, to }: HistoryOptions): AsyncGenerator<StreamEvent> {
  const start = from.kind === "cursor" ? from.cursor : cursorAt(from.kind === "last" ? 15 - from.bytes : 0)
  const end = to?.kind === "cursor" ? to.cursor : cursorAt(15)
  yield { kind: "positioned", cursor: start }
  for (const event of stream) {
    const place = event.cursor ?? start
    if (comparePositions(place, end) > 0) return
    // Bytes that nobody read are told again at the place of their mark.
    const isUnread = event.kind === "gap" && event.gap.reason === "unread"
    if (comparePositions(place, start) < (isUnread ? 0 : 1)) continue
    if (event.kind === "bytes") {
      const had = Math.max(0, start.offset - event.offset)
      yield { ...event, offset: event.offset + had, bytes: event.bytes.subarray(had) }
    } else yield event
  }
}

async function get(url: string, query: string) {
  const response = await fetch(`${url}/history?${query}`)
  return { status: response.status, next: response.headers.get("next-cursor"), text: await response.text() }
}

test("is the exact bytes up to a gap, and says where to go on", async () => {
  await using gateway = await startTestGateway({ history })
  const response = await fetch(`${gateway.url}/history?from=start`)
  expect(Object.fromEntries(response.headers)).toMatchObject({
    "content-type": "application/octet-stream",
    "content-length": "6",
    "next-cursor": at(6),
  })
  expect(await response.text()).toBe("abcdef")
})

test("a place where bytes are missing is 416, which says what is missing and where bytes go on", async () => {
  await using gateway = await startTestGateway({ history })
  const evicted = await get(gateway.url, `from=${at(6)}`)
  expect([evicted.status, evicted.next]).toEqual([416, at(10)])
  expect(JSON.parse(evicted.text)).toMatchObject({
    code: "not_kept",
    detail: `The 4 bytes from ${at(6)} to ${at(10)} are not kept any more.`,
  })
  const unread = await get(gateway.url, `from=${at(13)}`)
  expect([unread.status, unread.next]).toEqual([416, at(13, 1)])
  expect(JSON.parse(unread.text).detail).toContain("nobody knows how many")
})

test.each(["", "&maxBytes=1", "&maxBytes=2", "&maxBytes=4"])(
  "a loop over Next-Cursor%s gets every byte once, and each gap",
  async (size) => {
    await using gateway = await startTestGateway({ history })
    let from = at(0)
    let all = ""
    for (let requests = 0; requests < 30; requests++) {
      const { status, next, text } = await get(gateway.url, `from=${from}${size}`)
      if (status === 200 && text === "") break
      all += status === 416 ? "|" : text
      from = next ?? ""
    }
    expect([all, from]).toEqual(["abcdef|klm|no", at(15)])
  },
)

test("a start that is no exact place begins after what is missing there", async () => {
  await using gateway = await startTestGateway({ history })
  expect(await get(gateway.url, "from=-8")).toEqual({ status: 200, next: at(13), text: "klm" })
})

test("ends at `to`", async () => {
  await using gateway = await startTestGateway({ history })
  expect(await get(gateway.url, `from=${at(1)}&to=${at(3)}`)).toEqual({
    status: 200,
    next: at(3),
    text: "bc",
  })
})

test("HEAD has the same head and no body", async () => {
  await using gateway = await startTestGateway({ history })
  const response = await fetch(`${gateway.url}/history?from=${at(10)}`, { method: "HEAD" })
  expect([response.headers.get("content-length"), response.headers.get("next-cursor")]).toEqual(["3", at(13)])
  expect(await response.text()).toBe("")
})

test.each([
  ["from=yesterday", "bad_cursor"],
  [`from=start&to=-5`, "bad_cursor"],
  ["stream=both", "bad_request"],
  ["maxBytes=0", "bad_request"],
  ["maxBytes=4194305", "bad_request"],
])("%s is refused", async (query, code) => {
  await using gateway = await startTestGateway({ history })
  const { status, text } = await get(gateway.url, query)
  expect([status, JSON.parse(text).code]).toEqual([400, code])
})

test("an agent that does not answer is 504 after ten seconds", async () => {
  const clock = new FakeClock()
  const asked = createDeferred<void>()
  await using gateway = await startTestGateway(
    {
      async *history({ from, signal }) {
        if (from.kind === "cursor") yield { kind: "positioned", cursor: from.cursor }
        asked.resolve()
        await new Promise((resolve) => signal.addEventListener("abort", resolve))
      },
    },
    { clock },
  )
  const answer = get(gateway.url, `from=${testEpoch}-0`)
  await asked.promise
  clock.advance(10_000)
  expect((await answer).status).toBe(504)
})

test("histories on their way that hold all there is keep nobody from one: what the next one gets is smaller, and goes on", async () => {
  await using gateway = await startTestGateway({
    async *history({ from, signal }) {
      const start = from.kind === "cursor" ? from.cursor.offset : 0
      for (let offset = start; offset < start + 4_140_000; offset += 60_000)
        yield bytesAt(offset, "x".repeat(60_000))
      await new Promise((resolve) => signal.addEventListener("abort", resolve))
    },
  })
  const leaving = new AbortController()
  const waiting = Array.from({ length: 60 }, () =>
    fetch(`${gateway.url}/history?maxBytes=4194304`, { signal: leaving.signal }).then(
      ({ headers }) => Number(headers.get("content-length")),
      () => null,
    ),
  )
  await eventually(async () => {
    const { status, next, text } = await get(gateway.url, `from=${at(7)}`)
    expect([status, next]).toEqual([200, at(7 + text.length)])
    expect(text.length).toBeGreaterThanOrEqual(60_000)
    expect(text.length).toBeLessThan(1_000_000)
  })
  leaving.abort()
  // Half of all is what one address may hold.
  expect((await Promise.all(waiting)).filter((length) => length === null)).toHaveLength(8)
  await eventually(async () => expect((await get(gateway.url, "")).text).toHaveLength(1_048_576))
})

test("a history that was recorded byte by byte costs what it has", async () => {
  const held: number[] = []
  const account = { resize: (bytes: number) => held.push(bytes) > 0, [Symbol.dispose]: () => {} }
  async function* events() {
    for (let offset = 0; ; offset++) yield bytesAt(offset, "x")
  }
  const { bytes, next } = await collectPart(events(), { maxBytes: 100_000, isExact: false, account })
  expect([bytes.byteLength, next?.offset]).toEqual([100_000, 100_000])
  expect(bytes.heldBytes).toBeLessThan(200_000)
  expect(held.at(-1)).toBeLessThan(200_000)
})
