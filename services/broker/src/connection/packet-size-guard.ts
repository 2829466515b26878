import { AppError } from "@serialcast/contract"

// MQTT 3.1.1 §2.2.3: the length has at most four bytes of seven bits, least significant first.
const lastLengthShift = 21

/** Follows a client's bytes from packet to packet, reading only their fixed headers. */
export interface PacketSizeGuard {
  /**
   * Takes the next bytes of the stream. undefined, or why the stream must end here: `too_large` as soon as a header
   * announces more than is allowed after it, `bad_message` for a length that never ends.
   */
  take(bytes: Uint8Array): AppError | undefined
}

/** `maxBytes` is what may follow a fixed header: topic, message id and payload of a PUBLISH. */
export function createPacketSizeGuard(maxBytes: number): PacketSizeGuard {
  let bodyBytes = 0
  /** Of the length's next byte; undefined while the packet's first byte is awaited. */
  let shift: number | undefined
  let length = 0

  const takeHeaderByte = (byte: number): AppError | undefined => {
    if (shift === undefined) {
      shift = 0
      length = 0
      return undefined
    }
    length += (byte & 0x7f) << shift
    if (length > maxBytes) {
      return new AppError(
        "too_large",
        `Expected MQTT packets of at most ${maxBytes} bytes; found a larger one.`,
      )
    }
    if (byte < 0x80) {
      bodyBytes = length
      shift = undefined
      return undefined
    }
    if (shift === lastLengthShift) {
      return new AppError(
        "bad_message",
        "Expected an MQTT packet length of at most four bytes; found a longer one.",
      )
    }
    shift += 7
    return undefined
  }

  return {
    take(bytes) {
      let at = 0
      while (at < bytes.byteLength) {
        const skipped = Math.min(bodyBytes, bytes.byteLength - at)
        at += skipped
        bodyBytes -= skipped
        const byte = bytes[at++]
        const refusal = byte === undefined ? undefined : takeHeaderByte(byte)
        if (refusal !== undefined) return refusal
      }
      return undefined
    },
  }
}
