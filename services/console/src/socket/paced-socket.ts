import { type Clock, type LoopTurns, TakenAtOnce } from "@serialcast/primitives"
import type { WebSocket } from "ws"

/** Bytes that may wait in this process for one client, besides the frame that is being sent. */
const sendWatermarkBytes = 256 * 1024
/** What a client may take for its part of the closing handshake, in milliseconds. */
const closeTimeoutMs = 1_000
/** A close frame's payload is 125 bytes at most, two of them the code (RFC 6455 §5.5). */
const maxReasonBytes = 123

/** A WebSocket for pull loops: who awaits `send` never has more than `sendWatermarkBytes` and a frame waiting. */
export interface PacedSocket {
  /** Aborted once the socket is closed. */
  readonly closed: AbortSignal
  /**
   * Resolves when the next frame may be sent. A socket that is closed takes frames and forgets them, so that a loop
   * need only look at `closed`.
   */
  send(frame: string | Uint8Array): Promise<void>
  /**
   * Closes with a code of RFC 6455 §7.4, and cuts off a client that does not answer. A long reason is cut; the first one
   * counts.
   */
  close(code: number, reason: string): void
  /** Calls `listener` when a frame that had to wait has left: the client still reads. */
  onProgress(listener: () => void): void
}

export interface PacedSocketDeps {
  readonly clock: Clock
  /** Of all sockets together. */
  readonly turns: LoopTurns
}

export function createPacedSocket(socket: WebSocket, { clock, turns }: PacedSocketDeps): PacedSocket {
  const closed = new AbortController()
  const listeners: (() => void)[] = []
  const taken = new TakenAtOnce(clock)
  let isClosing = false
  socket.once("close", () => closed.abort())
  return {
    closed: closed.signal,
    send: (frame) =>
      new Promise((resolve) => {
        let hasWaited = false
        // A failed send is followed by `close`, which says all there is to say.
        socket.send(frame, () => {
          // What the system takes at once is told here too, and would take its turn from others.
          if (!hasWaited) return
          for (const listener of listeners) listener()
          resolve()
        })
        hasWaited = socket.bufferedAmount > sendWatermarkBytes
        if (hasWaited) return taken.paused()
        if (!taken.add(frame.length)) return resolve()
        turns.wait(resolve)
      }),
    close(code, reason) {
      if (isClosing || closed.signal.aborted) return
      isClosing = true
      socket.close(code, cutToBytes(reason, maxReasonBytes))
      // Its answer would never be seen by a socket that is paused.
      socket.resume()
      const timer = clock.startTimer(closeTimeoutMs, () => socket.terminate())
      closed.signal.addEventListener("abort", () => timer.cancel())
    },
    onProgress: (listener) => listeners.push(listener),
  }
}

function cutToBytes(text: string, maxBytes: number): string {
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(maxBytes))
  return text.slice(0, read)
}
