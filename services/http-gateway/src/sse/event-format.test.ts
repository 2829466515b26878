import { type Mark, parseMark } from "@serialcast/contract"
import { createDeviceState } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { cursorAt, testEpoch } from "../testing/test-gateway.ts"
import { createEncodings } from "./encodings.ts"
import { createEventFormat } from "./event-format.ts"

const { settings } = createDeviceState()
const write = { client: "c", id: "w", by: "me", bytes: 3 }
const marks: readonly Mark[] = [
  { n: 0, kind: "opened", open: 2 },
  { n: 0, kind: "closed", reason: "unplugged" },
  { n: 0, kind: "overrun" },
  { n: 0, kind: "settings", by: "me", settings },
  { n: 0, kind: "lines", by: null, lines: { cts: true } },
  { n: 0, kind: "break", by: "me" },
  { n: 0, kind: "leased", holder: "me" },
  { n: 0, kind: "released", holder: "me", reason: "expired" },
  { n: 0, kind: "started", ...write },
  { n: 0, kind: "drained", ...write },
  { n: 0, kind: "refused", ...write, code: "expired" },
]

test.each(marks.map((mark) => [mark.kind, mark] as const))(
  "a mark of kind %s is told with all it has",
  (_kind, mark) => {
    const format = createEventFormat(createEncodings().create("hex"))
    const [event] = format.toEvents(
      { kind: "mark", cursor: cursorAt(7, 1), timeUs: 1_000, mark },
      () => undefined,
    )
    expect(event).toMatchObject({ event: "mark", id: `${testEpoch}-7.1` })
    const { cursor, time, ...told } = JSON.parse(event?.data ?? "")
    expect([cursor, time]).toEqual([`${testEpoch}-7.1`, "1970-01-01T00:00:00.001Z"])
    expect(parseMark(told)).toEqual(mark)
  },
)

test("a gap of bytes that nobody read is told before the mark of its place, and repeated to who resumes there", () => {
  const format = createEventFormat(createEncodings().create("hex"))
  const at = `${testEpoch}-7`
  const gap = { from: at, to: at, bytes: null, reason: "unread" } as const
  const [event] = format.toEvents({ kind: "gap", cursor: cursorAt(7), gap }, () => undefined)
  expect(event).toEqual({ event: "gap", data: JSON.stringify(gap), id: at })
})
