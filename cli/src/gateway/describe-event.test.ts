import { createDeviceState } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { describeGap, describeMark, describeState } from "./describe-event.ts"

test("what others wrote into marks and states stays one line without effect on a terminal", () => {
  const hostile = "x\u001b[2J\ny"
  const problem = { code: "open_failed", message: hostile }
  for (const line of [
    describeMark({ n: 0, kind: "closed", reason: hostile }),
    describeMark({ n: 0, kind: "leased", holder: hostile }),
    describeMark({ n: 0, kind: "other", name: hostile }),
    describeState(createDeviceState({ online: false, problem })),
  ]) {
    expect(line).toContain("x\\x1B[2J y")
  }
})

test("a gap tells how much is missing, or that nobody knows", () => {
  const ends = { from: "00000000000000aa-3", to: "00000000000000aa-9" }
  expect(describeGap({ ...ends, bytes: 6, reason: "evicted" })).toContain("6 bytes are not kept any more")
  expect(describeGap({ ...ends, bytes: null, reason: "evicted" })).toContain("an unknown number of bytes")
  expect(describeGap({ ...ends, bytes: null, reason: "unread" })).toContain("while nobody read its port")
})

test("a change of settings tells what the port has, and what it did not take", () => {
  const { settings } = createDeviceState()
  const mark = { n: 0, kind: "settings", by: "ann" } as const
  expect(describeMark({ ...mark, settings })).toBe("settings: 115200 8N1, by ann")
  expect(describeMark({ ...mark, settings: { ...settings, unsupported: ["parity"] } })).toBe(
    "settings: 115200 8N1, by ann. The port did not take parity.",
  )
})

test("the end of a lease tells whether what it was for was done", () => {
  const mark = { n: 0, kind: "released", holder: "ann", purpose: "put a.py", reason: "released" } as const
  expect(describeMark(mark)).toBe("lease of ann (put a.py) given back")
  expect(describeMark({ ...mark, outcome: "failed" })).toBe(
    "lease of ann (put a.py) given back: what it was for failed",
  )
})
