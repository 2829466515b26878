import type { MessageEvent } from "@serialcast/device-stream"
import { expect, test } from "vitest"
import { cursorAt, testEpoch } from "../testing/test-gateway.ts"
import type { ServerEvent } from "./event-stream.ts"
import { createLineFormat } from "./line-format.ts"

function messageAt(
  offset: number,
  text: string,
  { end, isCut = false }: { end: number; isCut?: boolean },
): MessageEvent {
  const bytes = Uint8Array.from(Buffer.from(text, "latin1"))
  return { kind: "message", cursor: cursorAt(end), offset, timeUs: 1_000_000 + offset, bytes, isCut }
}

function tell(events: readonly MessageEvent[]): ServerEvent[] {
  const format = createLineFormat()
  return events.flatMap((event) => format.toEvents(event, () => undefined))
}

test("a line has the time of its first byte, and an id after its end", () => {
  expect(tell([messageAt(5, "two", { end: 9 })])).toEqual([
    { event: "line", data: '{"t":1000005,"text":"two"}', id: `${testEpoch}-9` },
  ])
})

test("what is not known to be a whole message says so", () => {
  const [event] = tell([messageAt(5, "tw", { end: 7, isCut: true })])
  expect(JSON.parse(event?.data ?? "")).toEqual({ t: 1_000_005, text: "tw", cut: true })
})

test("what is no UTF-8 becomes U+FFFD, and control bytes stay inside the data line", () => {
  const events = tell([
    messageAt(0, "\xff", { end: 2 }),
    messageAt(2, "\xe2\x82\xac", { end: 6 }),
    messageAt(6, "\x00\r\x1b", { end: 10 }),
  ])
  expect(events.map(({ data }) => JSON.parse(data).text)).toEqual(["\uFFFD", "€", "\u0000\r\u001b"])
  for (const { data } of events) expect(data).not.toMatch(/[\r\n]/)
})

test("a mark inside a line comes without an id, after which the line's begin would be lost", () => {
  const mark = {
    kind: "mark",
    cursor: cursorAt(2, 1),
    timeUs: 5,
    mark: { n: 0, kind: "leased", holder: "me" },
  } as const
  const [inside, between] = tell([
    { ...mark, isInside: true },
    { ...mark, isInside: false },
  ])
  expect(inside).toEqual({ event: "mark", data: expect.stringContaining('"leased"') })
  expect(between?.id).toBe(`${testEpoch}-2.1`)
})

test("places and gaps are told as in every other encoding", () => {
  const gap = { from: `${testEpoch}-2`, to: `${testEpoch}-9`, bytes: 7, reason: "evicted" } as const
  const events = tell([
    { kind: "positioned", cursor: null },
    { kind: "positioned", cursor: cursorAt(2) },
    { kind: "gap", cursor: cursorAt(9), gap },
  ])
  expect(events.map(({ event, id }) => [event, id])).toEqual([
    ["open", undefined],
    ["open", `${testEpoch}-2`],
    ["gap", `${testEpoch}-9`],
  ])
})
