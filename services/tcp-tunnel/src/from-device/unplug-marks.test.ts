import type { Mark } from "@serialcast/contract"
import type { StreamEvent } from "@serialcast/device-stream"
import { createDeviceState } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { createUnplugCheck } from "./unplug-marks.ts"

const since = "2030-01-01T00:00:00.000Z"
const sinceUs = Date.parse(since) * 1_000
const isUnplug = createUnplugCheck(createDeviceState({ epoch: "00000000000000aa", open: 3, since }))
const closed: Mark = { n: 0, kind: "closed", reason: "unplugged" }

function markAt(timeUs: number, mark: Mark, epoch = "00000000000000aa"): StreamEvent {
  return { kind: "mark", cursor: { epoch, offset: 9, mark: 1 }, timeUs, mark }
}

test.each([
  ["its closing", markAt(sinceUs + 5, closed), true],
  ["a later opening, whose closing was missed", markAt(sinceUs + 5, { n: 0, kind: "opened", open: 4 }), true],
  [
    "a mark of another journal",
    markAt(sinceUs - 5, { n: 0, kind: "opened", open: 1 }, "00000000000000bb"),
    true,
  ],
  ["its own opening", markAt(sinceUs, { n: 0, kind: "opened", open: 3 }), false],
  ["a closing from before, replayed", markAt(sinceUs - 5, closed), false],
  ["another mark", markAt(sinceUs + 5, { n: 0, kind: "break", by: "test" }), false],
])("an opening of the port and %s: %#", (_, event, isOver) => {
  expect(isUnplug(event)).toBe(isOver)
})
