import type { Socket } from "node:net"
import { maxChunkBytes } from "@serialcast/contract"
import { createWakeup } from "@serialcast/primitives"

/**
 * What a client sends, as it comes in: a segment at once when it is alone, pieces of up to `maxBytes` (default: 60,000,
 * which is what one write carries) when more is there than is taken. Ends at the client's FIN, when the socket is closed,
 * or when `signal` is aborted; leaves the socket open. What is not pulled stays in the socket's buffers: the client waits.
 */
export async function* readSocket(
  socket: Socket,
  signal: AbortSignal,
  maxBytes: number = maxChunkBytes,
): AsyncGenerator<Uint8Array, void> {
  const news = createWakeup()
  const wake = () => news.wake()
  const events = ["readable", "end", "close"] as const
  for (const event of events) socket.on(event, wake)
  try {
    while (!signal.aborted) {
      const waiting = socket.readableLength
      // Without bytes it makes the socket look for more, and tell its end.
      const bytes: Uint8Array | null =
        waiting === 0 ? socket.read() : socket.read(Math.min(waiting, maxBytes))
      if (bytes !== null) yield bytes
      else if (socket.readableEnded || socket.destroyed) return
      else await news.wait({ signal })
    }
  } finally {
    for (const event of events) socket.off(event, wake)
  }
}
