/*
 *   client ─→ socket ─→ request ─→ device writer (256 KiB without receipt) ─→ agent ─→ port
 *             each waits for the next one: the device's pace reaches the client
 */
import type { IncomingMessage, ServerResponse } from "node:http"
import { AppError } from "@serialcast/contract"
import type { Device } from "@serialcast/device-stream"
import type { Clock } from "@serialcast/primitives"
import type { Caller } from "../api/caller.ts"
import { closeSignal } from "../close-signal.ts"
import { startInterimAnswers } from "./interim-answers.ts"

// How long a client that sends nothing may keep its session.
const silentMs = 300_000
// A client that still sends gets an answer only while somebody takes what it sends.
const lingerMs = 2_000

export interface StreamWriteDeps {
  readonly clock: Clock
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
  { clock, stopping }: StreamWriteDeps,
): Promise<{ bytes: number }> {
  const signal = closeSignal(response, stopping)
  try {
    using _interim = startInterimAnswers(request, response, clock)
    await using writer = device.openWriter({ ...caller, signal })
    for await (const chunk of chunksOf(request, clock)) await writer.write(chunk)
    return await writer.flush()
  } catch (error) {
    if (stopping.aborted)
      throw new AppError("no_reply", "The service stopped before the device had taken everything.", {
        cause: error,
      })
    if (request.destroyed && !request.complete)
      throw new AppError("cancelled", "The client went away.", { cause: error })
    discardRest(request, clock)
    throw error
  }
}

/** A body's chunks, pulled one by one; the request of a client that sends nothing for five minutes is destroyed. */
async function* chunksOf(request: IncomingMessage, clock: Clock): AsyncGenerator<Uint8Array> {
  const startSilence = () => clock.startTimer(silentMs, () => request.destroy())
  let silence = startSilence()
  try {
    // Destroying the request would destroy the connection, and with it the answer to a body that is refused.
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      silence.cancel()
      // Nobody has set an encoding: the chunks are bytes.
      yield chunk as Uint8Array
      silence = startSilence()
    }
  } finally {
    silence.cancel()
  }
}

function discardRest(request: IncomingMessage, clock: Clock): void {
  const linger = clock.startTimer(lingerMs, () => request.destroy())
  request.once("close", () => linger.cancel())
  request.resume()
}
