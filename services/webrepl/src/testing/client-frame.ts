import { concatBytes } from "@serialcast/primitives"
import { opcodes } from "../frames/frame.ts"

export interface ClientFrameOptions {
  readonly isLast?: boolean
  /** Four bytes. Default: not masked, as the command-line client sends. */
  readonly mask?: readonly number[]
}

/** A frame as a client sends it. */
export function clientFrame(
  kind: keyof typeof opcodes,
  payload: Uint8Array,
  { isLast = true, mask }: ClientFrameOptions = {},
): Uint8Array {
  const size = payload.byteLength
  const first = (isLast ? 0x80 : 0) | opcodes[kind]
  const maskBit = mask === undefined ? 0 : 0x80
  const length = size < 126 ? [maskBit | size] : [maskBit | 126, size >> 8, size & 0xff]
  const masked = mask === undefined ? payload : payload.map((byte, at) => byte ^ (mask[at & 3] ?? 0))
  return concatBytes([Uint8Array.of(first, ...length, ...(mask ?? [])), masked])
}
