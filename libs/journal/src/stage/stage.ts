/*
 * A stage is a file of a fixed size in memory that outlives the process:
 *
 *      0  head        JSON, once: StageHead
 *    512  shown       two slots that are written in turn, so that one is always whole
 *    768  files       two slots: up to where the journal's files have the stream
 *   4096  first fill  | seq | frames …                     the one is filled while the other goes to the disk
 *    ...  second fill | seq | frames …
 *
 * A fill begins anew at its start once the files have all of it, so that a device that says little takes a few pages of
 * memory. Its frames go on up to the first that is none, or that is of an earlier place: what an earlier use of the fill
 * left.
 */
import type { StreamRecord } from "@serialcast/contract"
import { comparePositions, endOf, type Position, startOf } from "@serialcast/records"
import { type FilesEnd, readFilesEnd, writeFilesEnd } from "./files-end.ts"
import { Slot } from "./slot.ts"
import { readStageFrame, StageFrameWriter } from "./stage-frame.ts"
import type { StageMemory } from "./stage-memory.ts"
import { readPosition, writePosition } from "./staged-position.ts"

/** Which stream of which journal it is of. */
export interface StageHead {
  readonly format: 1
  readonly epoch: string
  readonly stream: string
  /** Of the system whose memory it is in. */
  readonly bootId: string
  /** What the journal's note calls it. */
  readonly id: string
  /** When it was made, by the monotonic clock. */
  readonly madeMs: number
}

/** What an earlier process left. */
export interface StageContent {
  readonly head: StageHead
  /** Oldest first; where one does not join on, there was no room for what is missing. */
  readonly records: readonly StreamRecord[]
  /** Readers may have had all before this. */
  readonly shown: Position
  /** The journal's files had all before this; null: nothing of this stage's time. */
  readonly files: FilesEnd | null
}

const headBytes = 512
const shownAt = 512
const filesAt = 768
const fillsAt = 4096
const fillHeadBytes = 12
const fillMagic = 0x46494c4c

/** Of each of the two fills, unless said otherwise: twice what goes to the disk at once. */
const defaultFillBytes = 512 * 1024

export interface NewStage {
  /** How far the journal's files have the stream; null: they have nothing of it. */
  readonly files?: FilesEnd | null
  /** Of each of the two fills. */
  readonly fillBytes?: number
}

interface Fill {
  readonly at: number
  seq: number
  /** What of it is used. */
  bytes: number
  /** Where its last record ends; null: there is none. */
  end: Position | null
}

/** What of one stream is not in the journal's files yet, in memory that outlives the process. */
export class Stage {
  readonly head: StageHead
  readonly #memory: StageMemory
  readonly #fillBytes: number
  readonly #frames = new StageFrameWriter()
  readonly #fills: readonly [Fill, Fill]
  #current: Fill
  readonly #shown: Slot
  readonly #files: Slot
  #isFailed = false

  private constructor(memory: StageMemory, head: StageHead, fillBytes: number) {
    this.head = head
    this.#memory = memory
    this.#fillBytes = fillBytes
    this.#shown = new Slot(memory, shownAt)
    this.#files = new Slot(memory, filesAt)
    this.#fills = [emptyFill(fillsAt, 1), emptyFill(fillsAt + fillBytes, 0)]
    this.#current = this.#fills[0]
  }

  /** A new one, in memory that has nothing. Throws what the memory throws, and is none then. */
  static create(
    memory: StageMemory,
    head: StageHead,
    { files = null, fillBytes = defaultFillBytes }: NewStage = {},
  ): Stage {
    const stage = new Stage(memory, head, fillBytes)
    memory.write(new Uint8Array(fillsAt), 0)
    if (files !== null) stage.#files.write((into) => writeFilesEnd(into, files))
    // Last: without it, this is no stage.
    memory.write(new TextEncoder().encode(`${JSON.stringify({ ...head, fillBytes })}\n`), 0)
    return stage
  }

  /** Goes on with what an earlier process left; undefined when that is no stage. */
  static resume(memory: StageMemory): { stage: Stage; content: StageContent } | undefined {
    const found = readHead(memory)
    if (found === undefined) return undefined
    const stage = new Stage(memory, found.head, found.fillBytes)
    const records = stage.#replay()
    const shown = stage.#shown.read(readPosition) ?? { offset: 0, mark: 0 }
    return {
      stage,
      content: { head: found.head, records, shown, files: stage.#files.read(readFilesEnd) ?? null },
    }
  }

  /** False when there is no room for it, until `release`. */
  put(record: StreamRecord): boolean {
    const frame = this.#isFailed ? undefined : this.#frames.encode(record)
    if (frame === undefined) return false
    const fill = this.#fillFor(frame.byteLength)
    if (fill === undefined) return false
    try {
      if (fill.bytes === 0) this.#begin(fill)
      this.#memory.write(frame, fill.at + fill.bytes)
    } catch {
      // A file system of memory that is full: what does not fit goes to the disk at once.
      return false
    }
    fill.bytes += frame.byteLength
    fill.end = endOf(record)
    return true
  }

  /** The journal's files have all before `end.position`. False when that cannot be told to the next process. */
  release(end: FilesEnd): boolean {
    if (!this.#try(() => this.#files.write((into) => writeFilesEnd(into, end)))) return false
    for (const fill of this.#fills) {
      if (fill.end === null || comparePositions(fill.end, end.position) > 0) continue
      fill.bytes = 0
      fill.end = null
    }
    return true
  }

  /** Readers are about to have what is in no fill. False when that cannot be told to the next process. */
  tellShown(position: Position): boolean {
    return this.#try(() => this.#shown.write((into) => writePosition(into, position)))
  }

  close(): void {
    this.#try(() => this.#memory.close())
  }

  /** Leaves nothing: the journal's files have everything. */
  discard(): void {
    try {
      this.#memory.discard()
    } catch {
      // It is not used any more: what is left of it names no journal's note.
    }
  }

  /** The fill with room for a frame. A fill is begun anew only while the other one has nothing, or goes to the disk. */
  #fillFor(frameBytes: number): Fill | undefined {
    if (this.#hasRoom(this.#current, frameBytes)) return this.#current
    const [first, second] = this.#fills
    const other = this.#current === first ? second : first
    if (other.end !== null || !this.#hasRoom(other, frameBytes)) return undefined
    this.#current = other
    return other
  }

  #hasRoom({ bytes }: Fill, frameBytes: number): boolean {
    return (bytes === 0 ? fillHeadBytes : bytes) + frameBytes <= this.#fillBytes
  }

  #begin(fill: Fill): void {
    const [first, second] = this.#fills
    fill.seq = Math.max(first.seq, second.seq) + 1
    const bytes = new Uint8Array(fillHeadBytes)
    const view = new DataView(bytes.buffer)
    view.setUint32(0, fillMagic)
    view.setFloat64(4, fill.seq)
    this.#memory.write(bytes, fill.at)
    fill.bytes = fillHeadBytes
  }

  #replay(): StreamRecord[] {
    const records: StreamRecord[] = []
    for (const fill of this.#fills) fill.seq = this.#readSeq(fill)
    const inOrder = this.#fills.toSorted((a, b) => a.seq - b.seq)
    for (const fill of inOrder) if (fill.seq > 0) this.#replayFill(fill, records)
    this.#current = inOrder[1] ?? this.#current
    return records
  }

  #readSeq({ at }: Fill): number {
    const bytes = new Uint8Array(fillHeadBytes)
    const view = new DataView(bytes.buffer)
    if (this.#memory.read(bytes, at) < fillHeadBytes || view.getUint32(0) !== fillMagic) return 0
    return view.getFloat64(4)
  }

  #replayFill(fill: Fill, into: StreamRecord[]): void {
    const bytes = new Uint8Array(this.#fillBytes)
    const got = bytes.subarray(0, this.#memory.read(bytes, fill.at))
    fill.bytes = fillHeadBytes
    for (;;) {
      const found = readStageFrame(got, fill.bytes)
      if (found === undefined) return
      const last = into.at(-1)
      // Records are put in order: an earlier one is of the fill's life before.
      if (last !== undefined && comparePositions(startOf(found.record), endOf(last)) < 0) {
        if (found.record.offset < endOf(last).offset || "mark" in found.record) return
      }
      into.push(found.record)
      fill.bytes = found.end
      fill.end = endOf(found.record)
    }
  }

  /** What fails once is not relied on again: a slot may be torn. */
  #try(work: () => void): boolean {
    if (this.#isFailed) return false
    try {
      work()
      return true
    } catch {
      this.#isFailed = true
      return false
    }
  }
}

function emptyFill(at: number, seq: number): Fill {
  return { at, seq, bytes: 0, end: null }
}

function readHead(memory: StageMemory): { head: StageHead; fillBytes: number } | undefined {
  const bytes = new Uint8Array(headBytes)
  const text = new TextDecoder().decode(bytes.subarray(0, memory.read(bytes, 0)))
  try {
    const { fillBytes, ...head } = JSON.parse(text.slice(0, text.indexOf("\n"))) as StageHead & {
      fillBytes: number
    }
    return head.format === 1 && Number.isSafeInteger(fillBytes) ? { head, fillBytes } : undefined
  } catch {
    // Cut short, or not ours.
    return undefined
  }
}
