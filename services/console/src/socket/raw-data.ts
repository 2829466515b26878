import { concatBytes } from "@serialcast/primitives"
import type { RawData } from "ws"

/** The payload of a message as ws gives it: in one piece, or in its fragments. */
export function toBytes(data: RawData): Uint8Array {
  if (data instanceof ArrayBuffer) return new Uint8Array(data)
  const whole = Array.isArray(data) ? concatBytes(data) : data
  return new Uint8Array(whole.buffer, whole.byteOffset, whole.byteLength)
}

/** As `toBytes`, of a text message; ws has checked that it is UTF-8. */
export function toText(data: RawData): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(toBytes(data))
}
