import { type Cursor, formatCursor, parseCursor } from "@serialcast/contract"
import { expect, test } from "vitest"
import { type Page, parsePage, serves } from "./page.ts"

const cursor = (text: string): Cursor => parseCursor(`00000000000000${text}`)!

/** Of a page that was asked for at `asked`: `first`, `next` and `head`. */
function pageFrom(asked: string, [first, next, head]: readonly [string, string, string]): Page {
  const text = (place: string) => formatCursor(cursor(place))
  const gap =
    asked === first ? null : { from: text(asked), to: text(first), bytes: null, reason: "evicted" as const }
  const page = { gap, first: text(first), records: [], next: text(next), head: text(head) }
  return parsePage(page, cursor(asked))
}

test.each([
  ["what it was asked for", "aa-4", ["aa-4", "aa-8", "aa-9"], "aa-4", true],
  ["a place in it", "aa-4", ["aa-4", "aa-8", "aa-9"], "aa-7", true],
  ["a place between marks in it", "aa-4", ["aa-4", "aa-8", "aa-9"], "aa-4.2", true],
  ["a place before it", "aa-4", ["aa-4", "aa-8", "aa-9"], "aa-3", false],
  ["its end, while more is kept", "aa-4", ["aa-4", "aa-8", "aa-9"], "aa-8", false],
  ["its end, which is the head", "aa-4", ["aa-4", "aa-8", "aa-8"], "aa-8", true],
  ["a place beyond the head", "aa-4", ["aa-4", "aa-8", "aa-8"], "aa-9", false],
  ["another mark at its end", "aa-4", ["aa-4", "aa-8.1", "aa-9"], "aa-8", true],
  ["a place in its gap", "aa-0", ["aa-4", "aa-8", "aa-9"], "aa-2", true],
  ["a place behind its gap", "aa-0", ["aa-4", "aa-8", "aa-9"], "aa-5", true],
  ["a place of another epoch", "aa-0", ["aa-0", "aa-8", "aa-9"], "bb-4", false],
  ["the end of an epoch that it leads out of", "aa-8", ["bb-0", "bb-4", "bb-9"], "aa-8", true],
  ["a place that may be beyond that end", "aa-8", ["bb-0", "bb-40", "bb-90"], "aa-9", false],
] as const)("a page serves %s: from %s %j at %s is %s", (_, asked, places, at, expected) => {
  expect(serves(pageFrom(asked, places), cursor(at))).toBe(expected)
})
