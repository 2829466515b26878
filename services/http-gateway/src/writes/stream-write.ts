/*
 *   client ─→ socket ─→ request ─→ device writer (256 KiB without receipt) ─→ agent ─→ port
 *             each waits for the next one: the device's pace reaches the client
 */
import type { IncomingMessage, ServerResponse } from "node:http"
import { AppError } from "@serialcast/contract"
import type { Device } from "@serialcast/device-stream"
import type { Clock, LoopTurns } from "@serialcast/primitives"
import type { Caller } from "../api/caller.ts"
import { bodyPieces } from "../body/body-pieces.ts"
import { startInterimAnswers } from "../body/interim-answers.ts"
import { clientGone } from "../body/read-body.ts"
import { closeSignal } from "../close-signal.ts"

export interface StreamWriteDeps {
  readonly clock: Clock
  readonly turns: LoopTurns
  /** Aborted when the service stops. */
  readonly stopping: AbortSignal
}

/**
 * Writes a body of any length as it comes in, and answers how much it was when the device has all of it. What is still
 * to be written when the client goes is cancelled. Throws what refuses the first part that is refused, `cancelled` when
 * the client went, and `no_reply` when the service stops.
 */
export async function streamWrite(
  request: IncomingMessage,
  response: ServerResponse,
  { device, caller }: { device: Device; caller: Caller },
  { clock, turns, stopping }: StreamWriteDeps,
): Promise<{ bytes: number }> {
  const signal = closeSignal(response, stopping)
  try {
    using _interim = startInterimAnswers(request, response, clock)
    await using writer = device.openWriter({ ...caller, signal })
    for await (const piece of bodyPieces(request, { clock, turns })) await writer.write(piece)
    return await writer.flush()
  } catch (error) {
    if (stopping.aborted)
      throw new AppError("no_reply", "The service stopped before the device had taken everything.", {
        cause: error,
      })
    if (request.destroyed && !request.complete) throw clientGone()
    throw error
  }
}
