import { concatBytes } from "@serialcast/primitives"

/** What goes between a simulated board's process and ours: a byte for the kind, four for the length, the payload. */
export interface Frame {
  readonly kind: FrameKind
  readonly payload: Uint8Array
}

/** Letters, so that a trace can be read. */
export const frameKinds = {
  /** To the board: bytes off the wire. */
  received: "r",
  /** To the board: so many bytes of its output are through, in four bytes. */
  through: "c",
  /** To the board: that was all of the flash; start. */
  start: "s",
  /** From the board: bytes to the wire. */
  sent: "t",
  /** From the board: how many bytes its ring had no room for, since it started, in four bytes. */
  dropped: "d",
  /** From the board: it takes bytes now. */
  ready: "b",
  /** Both ways: something that changed in the flash. */
  flash: "f",
} as const

export type FrameKind = (typeof frameKinds)[keyof typeof frameKinds]

/** Where the board's process hears what of its output is through; the rest is on its standard input and output. */
export const throughDescriptor = 3

const headerBytes = 5
// A whole file is one frame, and the flash holds no more.
const maxPayloadBytes = 4 * 1024 * 1024

export function encodeFrame(kind: FrameKind, payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(headerBytes + payload.byteLength)
  frame[0] = kind.charCodeAt(0)
  new DataView(frame.buffer).setUint32(1, payload.byteLength, true)
  frame.set(payload, headerBytes)
  return frame
}

/** A frame whose payload is one number. */
export function encodeCount(kind: FrameKind, count: number): Uint8Array {
  const payload = new Uint8Array(4)
  new DataView(payload.buffer).setUint32(0, count, true)
  return encodeFrame(kind, payload)
}

export function decodeCount(payload: Uint8Array): number {
  return new DataView(payload.buffer, payload.byteOffset, payload.byteLength).getUint32(0, true)
}

/** Cuts what comes through a pipe into frames. */
export class FrameReader {
  #parts: Uint8Array[] = []
  #sizeBytes = 0
  #neededBytes = headerBytes

  /** The frames that are whole by now. Throws when the other side speaks something else. */
  push(bytes: Uint8Array): readonly Frame[] {
    this.#parts.push(bytes)
    this.#sizeBytes += bytes.byteLength
    if (this.#sizeBytes < this.#neededBytes) return []
    const frames: Frame[] = []
    let rest = concatBytes(this.#parts)
    this.#neededBytes = headerBytes
    while (rest.byteLength >= headerBytes) {
      const view = new DataView(rest.buffer, rest.byteOffset, rest.byteLength)
      const lengthBytes = view.getUint32(1, true)
      if (lengthBytes > maxPayloadBytes) throw new Error(`a frame of ${lengthBytes} bytes`)
      const end = headerBytes + lengthBytes
      if (rest.byteLength < end) {
        this.#neededBytes = end
        break
      }
      // A kind that there is not is nothing to whoever reads it.
      frames.push({
        kind: String.fromCharCode(view.getUint8(0)) as FrameKind,
        payload: rest.subarray(headerBytes, end),
      })
      rest = rest.subarray(end)
    }
    this.#parts = [rest]
    this.#sizeBytes = rest.byteLength
    return frames
  }
}
