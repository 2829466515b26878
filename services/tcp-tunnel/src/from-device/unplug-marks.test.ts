import type { Mark } from "@serialcast/contract"
import type { StreamEvent } from "@serialcast/device-stream"
import { createDeviceState } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { createUnplugCheck } from "./unplug-marks.ts"

const state = createDeviceState({ epoch: "00000000000000aa", open: 3, since: "2030-01-01T00:00:00.000Z" })
const isUnplug = createUnplugCheck(state)
const sinceUs = Date.parse(state.since) * 1_000
const hourUs = 3_600_000_000

function markAt(timeUs: number, mark: Mark, epoch = state.epoch): StreamEvent {
  return { kind: "mark", cursor: { epoch, offset: 9, mark: 1 }, timeUs, mark }
}

const closed = (open: number): Mark => ({ n: 0, kind: "closed", reason: "unplugged", open })
const opened = (open: number): Mark => ({ n: 0, kind: "opened", open })

test.each([
  ["its closing", markAt(sinceUs + 5, closed(3)), true],
  ["its closing, after the clock was set back", markAt(sinceUs - hourUs, closed(3)), true],
  ["a later opening, whose closing was missed", markAt(sinceUs + 5, opened(4)), true],
  ["a mark of another journal", markAt(sinceUs - 5, opened(1), "00000000000000bb"), true],
  ["its own opening", markAt(sinceUs, opened(3)), false],
  ["a closing from before, replayed", markAt(sinceUs - 5, closed(2)), false],
  ["one that was stamped before the clock was set back", markAt(sinceUs + hourUs, closed(2)), false],
  ["an opening from before, stamped so", markAt(sinceUs + hourUs, opened(2)), false],
  ["another mark", markAt(sinceUs + 5, { n: 0, kind: "break", by: "test" }), false],
])("an opening of the port and %s: %#", (_, event, isOver) => {
  expect(isUnplug(event)).toBe(isOver)
})
