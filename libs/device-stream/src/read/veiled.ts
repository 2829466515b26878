import { type DeviceState, type Shown, Veil } from "@serialcast/contract"
import type { StreamEvent } from "./stream-event.ts"

/** What a terminal gets: bytes that are for people, notices, and the rest as it is read. */
export type TerminalEvent = Exclude<StreamEvent, { readonly kind: "bytes" }> | Shown

/**
 * The events of a device's `rx` as a terminal shows them: without what programs talk with it (`Veil`). `state`: the newest
 * that is known.
 */
export async function* veiled(
  events: AsyncIterable<StreamEvent>,
  state: () => DeviceState | undefined,
): AsyncGenerator<TerminalEvent, void, undefined> {
  const veil = new Veil(state() ?? null)
  for await (const event of events) {
    yield* veil.state(state() ?? null)
    switch (event.kind) {
      case "bytes":
        yield* veil.bytes(event.offset, event.bytes)
        break
      case "mark":
        yield event
        yield* veil.mark(event.mark)
        break
      case "gap":
        yield event
        yield* veil.gap()
        break
      case "positioned":
        yield event
        break
    }
  }
}
