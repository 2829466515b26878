import { concatBytes } from "@serialcast/primitives"
import { maxControlBytes, opcodes } from "./frame.ts"

/** The longest payload that WebREPL clients are ready for: a length of 16 bits. */
export const maxFrameBytes = 65_535

const fin = 0x80
const lengthIn16Bits = 126

/** A whole frame, not masked (RFC 6455 §5.1), of a payload of at most 65,535 bytes. */
export function encodeFrame(
  kind: Exclude<keyof typeof opcodes, "continuation">,
  payload: Uint8Array,
): Uint8Array {
  const size = payload.byteLength
  if (size > (opcodes[kind] >= opcodes.close ? maxControlBytes : maxFrameBytes))
    throw new RangeError(`a ${kind} frame of ${size} bytes`)
  const first = fin | opcodes[kind]
  const head = size < lengthIn16Bits ? [first, size] : [first, lengthIn16Bits, size >> 8, size & 0xff]
  return concatBytes([Uint8Array.from(head), payload])
}

/** `text` goes out as UTF-8. */
export function encodeTextFrame(text: string): Uint8Array {
  return encodeFrame("text", new TextEncoder().encode(text))
}

/** A close frame with a code and, cut to what fits, a reason. */
export function encodeCloseFrame(code: number, reason: string): Uint8Array {
  const payload = new Uint8Array(maxControlBytes)
  payload[0] = code >> 8
  payload[1] = code & 0xff
  const { written } = new TextEncoder().encodeInto(reason, payload.subarray(2))
  return encodeFrame("close", payload.subarray(0, 2 + written))
}
