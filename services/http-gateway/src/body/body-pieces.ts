import type { IncomingMessage } from "node:http"
import { ByteQueue, type Clock, createWakeup } from "@serialcast/primitives"
import { clientGone } from "./read-body.ts"

/** What waits before the client is stopped, in bytes; what its socket gives at one time may come on top. */
export const mostWaiting = 64 * 1024

/** How long a client that sends nothing is waited for, in milliseconds. */
const silentMs = 300_000

/**
 * A body as it comes in, at the pace of who takes it: what came meanwhile is joined. The request of a client that sends
 * nothing for five minutes is destroyed. Throws `cancelled` when the client goes before the end.
 */
export async function* bodyPieces(request: IncomingMessage, clock: Clock): AsyncGenerator<Uint8Array> {
  const queue = new ByteQueue()
  const changed = createWakeup()
  let isOver = request.destroyed
  const end = () => {
    isOver = true
    changed.wake()
  }
  request.once("end", end).once("close", end)
  const stopGathering = gather(request, queue, () => changed.wake())
  try {
    for (;;) {
      if (queue.byteLength > 0) yield queue.take(mostWaiting)
      else if (isOver && !request.complete) throw clientGone()
      else if (isOver) return
      else {
        // Lets the parser go on, where it had to stop.
        request._read(mostWaiting)
        if ((await changed.wait({ timeout: { clock, ms: silentMs } })) === "timeout") request.destroy()
        // Promises run between two chunks that came together: here they are joined.
        else await new Promise(setImmediate)
      }
    }
  } finally {
    stopGathering()
    request.off("end", end).off("close", end)
  }
}

/**
 * Puts what comes in where it costs what it counts. Node's parser hands each chunk to `push`, and reads no more from the
 * socket once that answers false; a request that is merely paused keeps the chunks of a whole socket read as objects, which
 * for single bytes are megabytes.
 */
function gather(request: IncomingMessage, queue: ByteQueue, told: () => void): () => void {
  for (let early: unknown = request.read(); early !== null; early = request.read()) {
    // Nobody has set an encoding: the chunks are bytes.
    queue.push(early as Uint8Array)
  }
  const push = request.push.bind(request)
  request.push = (chunk: Uint8Array | null) => {
    if (chunk === null) return push(null)
    queue.push(chunk)
    told()
    return queue.byteLength < mostWaiting
  }
  // For its end, which waits behind the data that nobody finds there.
  request.resume()
  return () => {
    request.push = push
  }
}
