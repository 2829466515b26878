import type { ServerResponse } from "node:http"
import type { ByteAccount, ByteQueue, Clock, LoopTurns } from "@serialcast/primitives"
import { PacedResponse } from "../paced-response.ts"

const pieceBytes = 64 * 1024
// Short, because an answer is held in memory until it is taken.
const stallMs = 30_000
// For taking all of an answer, of 4 MiB at most, however little at a time: at 14 KB/s it is enough.
const takeMs = 300_000

export interface SendOptions {
  /** What the part is held on; what was sent is given back. */
  readonly account: ByteAccount
  readonly clock: Clock
  readonly turns: LoopTurns
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal
}

/**
 * Sends a part and ends the response, at the pace of a client that takes something every half minute and all in five; another
 * one is cut off.
 */
export async function sendPart(
  response: ServerResponse,
  bytes: ByteQueue,
  { account, clock, turns, signal }: SendOptions,
): Promise<void> {
  using _all = clock.startTimer(takeMs, () => response.destroy())
  const paced = new PacedResponse(response, { clock, stallMs, signal, turns })
  while (bytes.byteLength > 0 && !signal.aborted) {
    await paced.write(bytes.take(pieceBytes))
    account.resize(bytes.heldBytes)
  }
  response.end()
}
