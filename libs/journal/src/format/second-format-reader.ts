import type { Mark } from "@serialcast/contract"
import { encodeHex } from "@serialcast/primitives"
import type { Position } from "@serialcast/records"
import { ByteReader } from "./byte-reader.ts"
import { type Frame, kindAt, kindOf } from "./frame.ts"
import type { IndexEntry } from "./index-entry.ts"
import { parseMarkText } from "./mark-text.ts"
import { idForms, kinds } from "./second-format.ts"

type Started = Extract<Mark, { kind: "started" }>
type Place = Pick<Position, "offset"> & { readonly number: number; readonly timeUs: number }

/** Reads the entries of format 2 (second-format.ts). */
export class SecondFormatReader {
  readonly #start: Position
  #blockUs = 0
  #texts: string[] = []
  #started: Started[] = []

  constructor(start: Position) {
    this.#start = start
  }

  /** Where the record of a frame ends, without a look at its checksum. Throws `RangeError` when the frame is too short. */
  endOf(frame: Frame, position: Position): Position {
    switch (kindOf(frame)) {
      case kinds.block: {
        const reader = readerOf(frame)
        return { offset: this.#start.offset + reader.varint(), mark: reader.varint() }
      }
      case kinds.bytes: {
        const { offset, number } = this.#placeOf(readerOf(frame))
        return { offset: offset + number, mark: 0 }
      }
      case kinds.mark:
      case kinds.started:
      case kinds.drained: {
        const { offset, number } = this.#placeOf(readerOf(frame))
        return { offset, mark: number + 1 }
      }
      default:
        return position
    }
  }

  /** undefined when it refers to what is not there. Throws `RangeError` when the frame is too short. */
  read(frame: Frame): IndexEntry | undefined {
    const reader = readerOf(frame)
    switch (kindOf(frame)) {
      case kinds.block:
        return this.#readBlock(reader)
      case kinds.text:
        this.#texts.push(reader.text())
        return { kind: "aside" }
      case kinds.bytes: {
        const { offset, number, timeUs } = this.#placeOf(reader)
        return { kind: "bytes", offset, timeUs, length: number, checksum: reader.u32() }
      }
      case kinds.mark: {
        const { offset, number, timeUs } = this.#placeOf(reader)
        return { kind: "mark", offset, timeUs, mark: parseMarkText(number, reader.text()) }
      }
      case kinds.started:
        return this.#readStarted(reader)
      case kinds.drained:
        return this.#readDrained(reader)
      default:
        // Of a later version: what it says is not needed for the rest.
        return { kind: "aside" }
    }
  }

  #readBlock(reader: ByteReader): IndexEntry {
    const start = { offset: this.#start.offset + reader.varint(), mark: reader.varint() }
    this.#blockUs = reader.varint()
    this.#texts = []
    this.#started = []
    return { kind: "block", start, timeUs: this.#blockUs }
  }

  #readStarted(reader: ByteReader): IndexEntry | undefined {
    const { offset, number, timeUs } = this.#placeOf(reader)
    const client = reader.varint()
    const by = this.#text(reader.varint())
    const bytes = reader.varint()
    const id = readId(reader)
    if (by === undefined || (client > 0 && this.#text(client) === undefined)) return undefined
    const name = client > 0 ? { client: this.#text(client) } : {}
    const mark: Started = { n: number, kind: "started", ...name, id, by, bytes }
    this.#started.push(mark)
    return { kind: "mark", offset, timeUs, mark }
  }

  #readDrained(reader: ByteReader): IndexEntry | undefined {
    const { offset, number, timeUs } = this.#placeOf(reader)
    const started = this.#started.at(-1 - reader.varint())
    const bytes = reader.varint()
    if (started === undefined) return undefined
    return { kind: "mark", offset, timeUs, mark: { ...started, n: number, kind: "drained", bytes } }
  }

  #text(number: number): string | undefined {
    return this.#texts[number - 1]
  }

  #placeOf(reader: ByteReader): Place {
    const offset = this.#start.offset + reader.varint()
    const number = reader.varint()
    return { offset, number, timeUs: this.#blockUs + reader.signed() }
  }
}

function readerOf({ view, at, length }: Frame): ByteReader {
  return new ByteReader(view, at + kindAt + 1, at + length)
}

function readId(reader: ByteReader): string {
  if (reader.u8() === idForms.text) return reader.text()
  const hex = encodeHex(reader.bytes(16)).toLowerCase()
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-")
}
