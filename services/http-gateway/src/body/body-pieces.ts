import type { IncomingMessage } from "node:http"
import { type Clock, createWakeup, type LoopTurns } from "@serialcast/primitives"
import { BodyIntake } from "./body-intake.ts"
import { clientGone } from "./read-body.ts"

/** What waits before the client is stopped, in bytes; what its socket gives at one time may come on top. */
export const mostWaiting = 64 * 1024

export interface PiecesOptions {
  readonly clock: Clock
  readonly turns: LoopTurns
  /** How long a client that sends nothing is waited for. Default: five minutes. */
  readonly silentMs?: number
}

/**
 * A body as it comes in, at the pace of who takes it: what came meanwhile is joined. The request of a client that sends
 * nothing for `silentMs` is destroyed. Throws `cancelled` when the client goes before the end.
 */
export async function* bodyPieces(
  request: IncomingMessage,
  { clock, turns, silentMs = 300_000 }: PiecesOptions,
): AsyncGenerator<Uint8Array> {
  const changed = createWakeup()
  const hasRoom = () => intake.queue.byteLength < mostWaiting
  using intake: BodyIntake = new BodyIntake(request, { turns, hasRoom, onNews: () => changed.wake() })
  for (;;) {
    if (intake.queue.byteLength > 0) yield intake.queue.take(mostWaiting)
    else if (intake.isOver && !request.complete) throw clientGone()
    else if (intake.isOver) return
    else {
      intake.goOn()
      if ((await changed.wait({ timeout: { clock, ms: silentMs } })) === "timeout") request.destroy()
      // Promises run between two chunks that came together: here they are joined.
      else await new Promise(setImmediate)
    }
  }
}
