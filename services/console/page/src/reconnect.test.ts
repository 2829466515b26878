import { type Cursor, formatCursor, type Mark, parseCursor } from "@serialcast/contract"
import { comparePositions, type StreamEvent } from "@serialcast/device-stream"
import { FakeClock } from "@serialcast/testkit"
import fc from "fast-check"
import { expect, test } from "vitest"
import { createEventEncoder } from "../../src/socket/event-frames.ts"
import { DeviceFeed } from "./device-feed.ts"
import { FakeSocket } from "./fake-socket.ts"

const epochs = ["00000000000000aa", "00000000000000bb"] as const
const [first, second] = epochs
const at = (epoch: string, offset: number, mark = 0): Cursor => ({ epoch, offset, mark })
const bytes = (epoch: string, offset: number, text: string): StreamEvent => ({
  kind: "bytes",
  cursor: at(epoch, offset + text.length),
  offset,
  timeUs: 1,
  bytes: new TextEncoder().encode(text),
})
const mark = (epoch: string, offset: number, what: Mark): StreamEvent => ({
  kind: "mark",
  cursor: at(epoch, offset, what.n + 1),
  timeUs: 1,
  mark: what,
})
const gap = (from: Cursor, to: Cursor, reason: "evicted" | "unread"): StreamEvent => ({
  kind: "gap",
  cursor: to,
  gap: { from: formatCursor(from), to: formatCursor(to), bytes: null, reason },
})

/** A device that was replugged, and whose journal was replaced. */
const story: readonly StreamEvent[] = [
  bytes(first, 0, "one"),
  bytes(first, 3, "two"),
  mark(first, 6, { n: 0, kind: "closed", reason: "unplugged" }),
  gap(at(first, 6, 1), at(first, 6, 1), "unread"),
  mark(first, 6, { n: 1, kind: "opened", open: 2 }),
  bytes(first, 6, "three"),
  gap(at(first, 11), at(second, 4), "evicted"),
  bytes(second, 4, "four"),
  gap(at(second, 8), at(second, 8), "unread"),
  mark(second, 8, { n: 0, kind: "overrun" }),
  bytes(second, 8, "five"),
]

function compare(a: Cursor, b: Cursor): number {
  return (
    epochs.findIndex((epoch) => epoch === a.epoch) - epochs.findIndex((epoch) => epoch === b.epoch) ||
    comparePositions(a, b)
  )
}

/** What a reading from a start point gets: with a cursor only what comes after it. */
function readFrom(from: string): StreamEvent[] {
  const cursor = parseCursor(from) ?? at(first, 0)
  const events = story.flatMap((event, index): StreamEvent[] => {
    // A gap of what nobody read stands before its mark, and belongs to it.
    const isUnread = event.kind === "gap" && event.gap.reason === "unread"
    const end = (isUnread ? story[index + 1] : event)?.cursor ?? cursor
    if (compare(end, cursor) <= 0) return []
    if (event.kind !== "bytes" || event.cursor.epoch !== cursor.epoch) return [event]
    const had = Math.max(0, cursor.offset - event.offset)
    return [{ ...event, offset: event.offset + had, bytes: event.bytes.subarray(had) }]
  })
  return [{ kind: "positioned", cursor }, ...events]
}

test("wherever connections break, each byte is shown once and in order, over an epoch change too", () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 6 })), (framesBeforeBreaks) => {
      const clock = new FakeClock()
      const sockets: FakeSocket[] = []
      const shown: string[] = []
      const feed = new DeviceFeed({
        clock,
        startsPaused: false,
        openSocket(from) {
          const socket = new FakeSocket(from)
          sockets.push(socket)
          return socket
        },
        onBytes: (shownBytes) => shown.push(new TextDecoder().decode(shownBytes)),
        onNotice: (text) => shown.push(`[${text.replace(/[;:,].*/, "")}]`),
        onChange: () => {},
      })
      for (const frames of [...framesBeforeBreaks, Number.POSITIVE_INFINITY]) {
        const socket = sockets.at(-1)!
        const sent = readFrom(socket.from).flatMap(createEventEncoder(() => null))
        for (const frame of sent.slice(0, frames))
          socket.receive(typeof frame === "string" ? frame : frame.buffer)
        socket.break()
        clock.advance(10_000)
      }
      feed.close()
      expect(shown.join("")).toBe(
        "onetwo[port closed][port opened]three[bytes are missing here]four" +
          "[the device sent faster than the port was read]five",
      )
    }),
  )
})
