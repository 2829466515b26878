import { formatCursor, parseCursor } from "@serialcast/contract"
import type { StreamEvent } from "@serialcast/device-stream"
import fc from "fast-check"
import { expect, test } from "vitest"
import { bytesAt, cursorAt, testEpoch } from "../testing/test-gateway.ts"
import { createEncodings } from "./encodings.ts"
import { createEventFormat } from "./event-format.ts"
import type { ServerEvent } from "./event-stream.ts"

function markAt(offset: number, n: number, kind: "leased" | "closed"): StreamEvent {
  const mark = kind === "leased" ? { n, kind, holder: "me" } : { n, kind, reason: "unplugged" }
  return { kind: "mark", cursor: cursorAt(offset, n + 1), timeUs: 5, mark }
}

function evictedGap(from: number, to: number): StreamEvent {
  const [fromCursor, toCursor] = [from, to].map((offset) => formatCursor(cursorAt(offset))) as [
    string,
    string,
  ]
  const gap = { from: fromCursor, to: toCursor, bytes: to - from, reason: "evicted" } as const
  return { kind: "gap", cursor: cursorAt(to), gap }
}

function tell(events: readonly StreamEvent[]): ServerEvent[] {
  const format = createEventFormat(createEncodings().create("lines", null))
  return events.flatMap((event) => format.toEvents(event, () => undefined))
}

const lineOf = (text: string, end: number, t: number, cut = {}) => ({
  event: "line",
  data: JSON.stringify({ t, text, ...cut }),
  id: `${testEpoch}-${end}`,
})

test("a line has the time of its first byte, and an id after its end", () => {
  const events = [bytesAt(0, "one\r\ntw"), bytesAt(7, "o\n")]
  expect(tell(events)).toEqual([lineOf("one", 5, 1_000_000), lineOf("two", 9, 1_000_000)])
})

test("what is no UTF-8 becomes U+FFFD, a split character is joined, and control bytes stay inside the data line", () => {
  const [bad, split, control] = tell([bytesAt(0, "\xff\n\xe2\x82"), bytesAt(4, "\xac\n\x00\r\x1b\n")])
  expect([bad, split, control].map((event) => JSON.parse(event?.data ?? "").text)).toEqual([
    "\uFFFD",
    "€",
    "\u0000\r\u001b",
  ])
  expect(control?.data).not.toMatch(/[\r\n]/)
})

test("a mark inside a line comes at once, and without an id, after which the line's begin would be lost", () => {
  const [mark, line, next] = tell([
    bytesAt(0, "ab"),
    markAt(2, 0, "leased"),
    bytesAt(2, "c\n"),
    markAt(4, 0, "leased"),
  ])
  expect(mark).toEqual({ event: "mark", data: expect.stringContaining('"leased"') })
  expect(line).toEqual(lineOf("abc", 4, 1_000_000))
  expect(next?.id).toBe(`${testEpoch}-4.1`)
})

test("a close and a gap cut the line that they come into, and say so", () => {
  const [closed, mark] = tell([bytesAt(0, "ab"), markAt(2, 0, "closed")])
  expect([closed, mark?.id]).toEqual([lineOf("ab", 2, 1_000_000, { cut: true }), `${testEpoch}-2.1`])
  const [before, gap, after] = tell([bytesAt(0, "ab"), evictedGap(2, 9), bytesAt(9, "c\n")])
  expect([before, after]).toEqual([lineOf("ab", 2, 1_000_000, { cut: true }), lineOf("c", 11, 1_000_009)])
  expect(gap).toMatchObject({ event: "gap", id: `${testEpoch}-9` })
})

test("wherever a client loses its connection, it has each line once and whole after it resumed by its last id", () => {
  const parts = fc.array(fc.constantFrom("a", "bc\n", "\r\n", "\n", "def", "leased", "closed"), {
    maxLength: 30,
  })
  fc.assert(
    fc.property(parts, fc.nat(), (given, cut) => {
      const all = eventsOf(given)
      const lines = (events: readonly ServerEvent[]) => events.filter(({ event }) => event === "line")
      const whole = tell(all)
      const had = whole.slice(0, cut % (whole.length + 1))
      const last = had.findLast(({ id }) => id !== undefined)?.id
      const rest = last === undefined ? tell(all) : tell(eventsAfter(all, last))
      expect([...lines(had), ...lines(rest)].map(textAndId)).toEqual(lines(whole).map(textAndId))
    }),
  )
})

// A chunk that is read from its middle on tells the time of its first byte.
const textAndId = ({ data, id }: ServerEvent) => ({ id, ...JSON.parse(data), t: 0 })

/** Texts are chunks, names of marks are marks. */
function eventsOf(parts: readonly string[]): StreamEvent[] {
  let offset = 0
  let n = 0
  return parts.map((part) => {
    if (part === "leased" || part === "closed") return markAt(offset, n++, part)
    const event = bytesAt(offset, part)
    offset += part.length
    n = 0
    return event
  })
}

/** What a reader gets that starts at the cursor `from`. */
function eventsAfter(events: readonly StreamEvent[], from: string): StreamEvent[] {
  const { offset, mark } = parseCursor(from) ?? cursorAt(0)
  return events.flatMap((event): StreamEvent[] => {
    const end = event.cursor ?? cursorAt(0)
    if (event.kind === "mark")
      return end.offset > offset || (end.offset === offset && end.mark > mark) ? [event] : []
    if (event.kind !== "bytes" || end.offset <= offset) return []
    const had = Math.max(0, offset - event.offset)
    return [{ ...event, offset: event.offset + had, bytes: event.bytes.subarray(had) }]
  })
}
