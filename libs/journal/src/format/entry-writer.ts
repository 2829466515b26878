import { crc32 } from "node:zlib"
import { isMarkRecord, type Mark, type StreamRecord } from "@serialcast/contract"
import { decodeHex } from "@serialcast/primitives"
import { endOf, type Position } from "@serialcast/records"
import { ByteWriter } from "./byte-writer.ts"
import { writeFrame } from "./frame.ts"
import type { SegmentHeader } from "./index-entry.ts"
import { blockBytes, idForms, kinds, uuidPattern } from "./second-format.ts"
import { writeHeader } from "./segment-header.ts"

/** A place from which an index can be read: where it is there, and what stands there in the stream. */
export interface Checkpoint {
  readonly at: number
  readonly position: Position
  readonly timeUs: number
}

/** What is to be appended to an index, and the blocks that begin in it. */
export interface EncodedEntries {
  readonly bytes: Uint8Array
  readonly blocks: readonly Checkpoint[]
}

type WriteMark = Extract<Mark, { kind: "started" | "drained" }>

/** Encodes the index of one segment, in order, in format 2 (second-format.ts). */
export class EntryWriter {
  readonly #start: Position
  readonly #into = new ByteWriter()
  /** Where the index ends, with all that was encoded. */
  #indexBytes: number
  #position: Position
  #blocks: Checkpoint[] = []
  #block: Block | null = null

  /** Goes on behind `indexBytes` of an index, at `position`; both are 0 and `start` for a new one. */
  constructor(
    start: Position,
    { indexBytes, position }: { readonly indexBytes: number; readonly position: Position },
  ) {
    this.#start = start
    this.#indexBytes = indexBytes
    this.#position = position
  }

  header(header: SegmentHeader, timeUs: number): void {
    writeHeader(this.#into, { header, start: this.#start, timeUs })
  }

  /** `record` must start where the one before it ends. */
  add(record: StreamRecord): void {
    const block = this.#blockFor(record)
    if (isMarkRecord(record)) this.#addMark(record.mark, record, block)
    else this.#addBytes(record, block)
    this.#position = endOf(record)
  }

  /** What was added since the last time. */
  take(): EncodedEntries {
    const taken = { bytes: this.#into.view().slice(), blocks: this.#blocks }
    this.#indexBytes += taken.bytes.byteLength
    this.#into.clear()
    this.#blocks = []
    return taken
  }

  get #at(): number {
    return this.#indexBytes + this.#into.length
  }

  #blockFor({ timeUs }: StreamRecord): Block {
    if (this.#block !== null && this.#at - this.#block.at < blockBytes) return this.#block
    const { offset, mark } = this.#position
    const block: Block = { at: this.#at, timeUs, texts: new Map(), started: new Map(), starts: 0 }
    this.#blocks.push({ at: block.at, position: this.#position, timeUs })
    writeFrame(this.#into, kinds.block, (into) => {
      into.varint(offset - this.#start.offset)
      into.varint(mark)
      into.varint(timeUs)
    })
    this.#block = block
    return block
  }

  #addBytes({ offset, timeUs, bytes }: Extract<StreamRecord, { bytes: Uint8Array }>, block: Block): void {
    writeFrame(this.#into, kinds.bytes, (into) => {
      into.varint(offset - this.#start.offset)
      into.varint(bytes.byteLength)
      into.signed(timeUs - block.timeUs)
      into.u32(crc32(bytes))
    })
  }

  #addMark(mark: Mark, place: StreamRecord, block: Block): void {
    if (mark.kind === "started") return this.#addStarted(mark, place, block)
    if (mark.kind === "drained" && block.started.has(nameOf(mark)))
      return this.#addDrained(mark, place, block)
    const { n, ...rest } = mark
    writeFrame(this.#into, kinds.mark, (into) => {
      this.#addPlace(place, n, block)
      into.text(JSON.stringify(rest))
    })
  }

  #addStarted(mark: Extract<Mark, { kind: "started" }>, place: StreamRecord, block: Block): void {
    const client = mark.client === undefined ? 0 : this.#textFor(mark.client, block)
    const by = this.#textFor(mark.by, block)
    block.started.set(nameOf(mark), block.starts++)
    writeFrame(this.#into, kinds.started, (into) => {
      this.#addPlace(place, mark.n, block)
      into.varint(client)
      into.varint(by)
      into.varint(mark.bytes)
      const uuid = uuidPattern.test(mark.id) ? decodeHex(mark.id.replaceAll("-", "")) : undefined
      into.u8(uuid === undefined ? idForms.text : idForms.uuid)
      if (uuid === undefined) into.text(mark.id)
      else into.bytes(uuid)
    })
  }

  #addDrained(mark: Extract<Mark, { kind: "drained" }>, place: StreamRecord, block: Block): void {
    const number = block.started.get(nameOf(mark)) ?? 0
    writeFrame(this.#into, kinds.drained, (into) => {
      this.#addPlace(place, mark.n, block)
      into.varint(block.starts - 1 - number)
      into.varint(mark.bytes)
    })
  }

  #addPlace({ offset, timeUs }: StreamRecord, n: number, block: Block): void {
    this.#into.varint(offset - this.#start.offset)
    this.#into.varint(n)
    this.#into.signed(timeUs - block.timeUs)
  }

  #textFor(text: string, block: Block): number {
    const known = block.texts.get(text)
    if (known !== undefined) return known
    const number = block.texts.size + 1
    block.texts.set(text, number)
    writeFrame(this.#into, kinds.text, (into) => into.text(text))
    return number
  }
}

/** What the entries since its start can refer to. */
interface Block {
  readonly at: number
  readonly timeUs: number
  readonly texts: Map<string, number>
  /** The newest `started` entry of each write, as `nameOf` names it, counted from 0. */
  readonly started: Map<string, number>
  /** How many there are. */
  starts: number
}

function nameOf({ client, id, by }: WriteMark): string {
  return JSON.stringify([client, id, by])
}
