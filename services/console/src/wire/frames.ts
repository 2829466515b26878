import type { DeviceState, Gap, Mark, Receipt } from "@serialcast/contract"

/**
 * What a console's WebSocket carries under the sub-protocol `serialcast.v1`. Service and page both use this file, so
 * it runs in browsers and does no I/O.
 *
 *   service → client   binary   offset (8 bytes, unsigned, big-endian), then device bytes
 *                      text     JSON, one `ServerMessage`; the first one is `open`
 *   client → service   binary   the bytes of one atomic write
 *                      text     JSON `{type: "write", …}`, see write-message.ts
 */
export const subProtocol = "serialcast.v1"

/** Cursors are text here: a client hands them back as `from`, and reads nothing out of them. */
export type ServerMessage =
  /**
   * Where the reading starts. Offsets of binary frames count in `epoch`. Both null: not known yet, because the gateway's
   * agent is away; when it is back, `epoch` tells them before anything of the stream comes.
   */
  | {
      readonly type: "open"
      readonly epoch: string | null
      readonly cursor: string | null
      readonly state: DeviceState | null
    }
  /** Offsets of binary frames count in this epoch from here on. */
  | { readonly type: "epoch"; readonly epoch: string; readonly cursor: string }
  | { readonly type: "mark"; readonly cursor: string; readonly timeUs: number; readonly mark: Mark }
  /** Bytes that cannot be had; the reading goes on at `cursor`. */
  | { readonly type: "gap"; readonly cursor: string; readonly gap: Gap }
  /** The device's newest state; null when it is no longer known. */
  | { readonly type: "state"; readonly state: DeviceState | null }
  /** The write is done. `id` is what the client called it, else the number of its frame on this socket, from 1. */
  | ({ readonly type: "receipt"; readonly id: string } & Receipt)
  /** With an id: that write was not, or not wholly, done. Without: why the socket is about to be closed. */
  | { readonly type: "error"; readonly id?: string; readonly code: string; readonly message: string }

/** Consecutive device bytes; `offset` is that of the first. */
export interface BytesFrame {
  readonly offset: number
  readonly bytes: Uint8Array
}

const offsetBytes = 8

export function encodeBytesFrame({ offset, bytes }: BytesFrame): Uint8Array {
  const frame = new Uint8Array(offsetBytes + bytes.byteLength)
  const head = new DataView(frame.buffer)
  // In halves: a BigInt for each frame costs more than all the rest of this.
  head.setUint32(0, Math.floor(offset / 2 ** 32))
  head.setUint32(4, offset % 2 ** 32)
  frame.set(bytes, offsetBytes)
  return frame
}

/** undefined when `frame` is shorter than its offset, or the offset is beyond 2^53. */
export function decodeBytesFrame(frame: Uint8Array): BytesFrame | undefined {
  if (frame.byteLength < offsetBytes) return undefined
  const offset = Number(new DataView(frame.buffer, frame.byteOffset).getBigUint64(0))
  return Number.isSafeInteger(offset) ? { offset, bytes: frame.subarray(offsetBytes) } : undefined
}

export function encodeServerMessage(message: ServerMessage): string {
  return JSON.stringify(message)
}

const messageTypes: ReadonlySet<unknown> = new Set([
  "open",
  "epoch",
  "mark",
  "gap",
  "state",
  "receipt",
  "error",
] satisfies ServerMessage["type"][])

/** undefined for anything but a known message: a newer service may send types that an older page can do without. */
export function decodeServerMessage(text: string): ServerMessage | undefined {
  let message: unknown
  try {
    message = JSON.parse(text)
  } catch {
    // Not JSON: the same answer as JSON of another shape.
    return undefined
  }
  if (typeof message !== "object" || message === null || !("type" in message)) return undefined
  // The peer is the service that served this page; beyond the type, its shapes are its own promise.
  return messageTypes.has(message.type) ? (message as ServerMessage) : undefined
}
