import type { DeviceState } from "@serialcast/contract"
import type { StreamEvent } from "@serialcast/device-stream"

/**
 * Tells of an event whether the opening of the port that `state` shows is over with it. What is replayed from before that
 * opening has marks of its own: those are told apart by their time, which is the agent's, as `since` is.
 */
export function createUnplugCheck(state: DeviceState): (event: StreamEvent) => boolean {
  const sinceUs = Date.parse(state.since) * 1_000
  return (event) => {
    if (event.kind !== "mark") return false
    const { mark, timeUs } = event
    if (event.cursor.epoch !== state.epoch) return true
    if (timeUs < sinceUs) return false
    return mark.kind === "closed" || (mark.kind === "opened" && mark.open !== state.open)
  }
}
