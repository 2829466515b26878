import { concatBytes } from "@serialcast/primitives"
import type { RawData } from "ws"

/**
 * The payload of a message as ws gives it: in one piece, or in its fragments. One that is a small part of what came with it
 * is copied, so that it does not hold the rest while it waits.
 */
export function toBytes(data: RawData): Uint8Array {
  if (data instanceof ArrayBuffer) return new Uint8Array(data)
  const whole = Array.isArray(data) ? concatBytes(data) : data
  if (2 * whole.byteLength < whole.buffer.byteLength) return new Uint8Array(whole)
  return new Uint8Array(whole.buffer, whole.byteOffset, whole.byteLength)
}

/** As `toBytes`, of a text message; ws has checked that it is UTF-8. */
export function toText(data: RawData): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(toBytes(data))
}
