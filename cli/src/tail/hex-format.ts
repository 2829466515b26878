import { formatStartPoint } from "@serialcast/contract"
import type { StreamEvent } from "@serialcast/device-stream"
import { encodeHex } from "@serialcast/primitives"
import type { BytesEvent, Format, FormatOptions } from "./format.ts"

const bytesInRow = 16

/** Rows of offset, bytes in hex, and what of them is ASCII, as they come: `0000002a  48 65 6C 6C 6F  |Hello|`. */
export class HexFormat implements Format {
  readonly isAtLineStart = true
  readonly #hasTimes: boolean

  constructor({ hasTimes }: FormatOptions) {
    this.#hasTimes = hasTimes
  }

  show(event: StreamEvent): string {
    return event.kind === "bytes" ? this.#showBytes(event) : ""
  }

  end(): string {
    return ""
  }

  #showBytes({ bytes, offset, timeUs }: BytesEvent): string {
    const time = this.#hasTimes ? `${formatStartPoint({ kind: "time", timeUs })} ` : ""
    let rows = ""
    for (let at = 0; at < bytes.byteLength; at += bytesInRow) {
      rows += `${time}${formatRow(bytes.subarray(at, at + bytesInRow), offset + at)}\n`
    }
    return rows
  }
}

function formatRow(bytes: Uint8Array, offset: number): string {
  const hex = encodeHex(bytes).replaceAll(/..(?=.)/g, "$& ")
  const ascii = Array.from(bytes, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "."))
  const place = offset.toString(16).padStart(8, "0")
  return `${place}  ${hex.padEnd(bytesInRow * 3 - 1)}  |${ascii.join("")}|`
}
