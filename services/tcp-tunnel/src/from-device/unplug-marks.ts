import type { DeviceState } from "@serialcast/contract"
import type { StreamEvent } from "@serialcast/device-stream"

/**
 * Tells of an event whether the opening of the port that `state` shows is over with it. What is replayed from before that
 * opening has marks of its own: those are told apart by the openings that they count. Their times would not do, because
 * somebody may have set the agent's clock back since.
 */
export function createUnplugCheck(state: DeviceState): (event: StreamEvent) => boolean {
  return (event) => {
    if (event.kind !== "mark") return false
    const { mark, cursor } = event
    if (cursor.epoch !== state.epoch) return true
    if (mark.kind === "closed") return (mark.open ?? 0) >= state.open
    return mark.kind === "opened" && mark.open > state.open
  }
}
