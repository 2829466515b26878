import type { Socket } from "node:net"
import type { StartPoint } from "@serialcast/contract"
import type { Device, StreamEvent } from "@serialcast/device-stream"
import { createWakeup } from "@serialcast/primitives"

export interface FeedOptions {
  readonly socket: Socket
  readonly device: Device
  readonly from: StartPoint
  /** What is sent for bytes of the device. */
  readonly encode: (bytes: Uint8Array) => Uint8Array
  /** Ends the feed; has to be aborted when the socket is closed. */
  readonly signal: AbortSignal
  /** Bytes of the device were sent: the client, or the system on its behalf, took them. */
  readonly onSent: (bytes: number) => void
  /** Awaited before what comes next is sent: marks, gaps, and where the reading starts. */
  readonly onEvent?: ((event: Exclude<StreamEvent, { kind: "bytes" }>) => void | Promise<void>) | undefined
}

/**
 * Sends what a device sends to one client, at the client's pace: besides what the system buffers, one event (60,000 bytes
 * at most) waits in memory. Resolves with `ended` when `signal` is aborted or the socket's sending side was ended, and
 * with `evicted` when the client was so slow that bytes for it are no longer kept; nothing can be sent in their place.
 * Throws as `Device.read`.
 */
export async function feedSocket(options: FeedOptions): Promise<"ended" | "evicted"> {
  const { socket, device, from, encode, signal, onSent, onEvent } = options
  const drained = createWakeup()
  const wake = () => drained.wake()
  socket.on("drain", wake)
  try {
    for await (const event of device.read({ from, signal })) {
      // Somebody has ended this side: a write would break the connection, with what is still on its way in it.
      if (socket.writableEnded) break
      if (event.kind === "bytes") {
        socket.write(encode(event.bytes))
        // What the system takes at once is not in it any more.
        while (socket.writableLength >= socket.writableHighWaterMark && !signal.aborted)
          await drained.wait({ signal })
        if (signal.aborted) break
        onSent(event.bytes.byteLength)
      } else {
        await onEvent?.(event)
        if (event.kind === "gap" && event.gap.reason === "evicted") return "evicted"
      }
    }
    return "ended"
  } finally {
    socket.off("drain", wake)
  }
}
