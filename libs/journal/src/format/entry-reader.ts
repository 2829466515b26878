import type { Position } from "@serialcast/records"
import { endOfFirstFormat, isFirstFormat, readFirstFormat } from "./first-format.ts"
import { type Frame, isIntact, kindOf } from "./frame.ts"
import { endOfEntry, type IndexEntry } from "./index-entry.ts"
import { kinds } from "./second-format.ts"
import { SecondFormatReader } from "./second-format-reader.ts"
import { isHeader, readHeader } from "./segment-header.ts"

/**
 * Reads the entries of the index of a segment that starts at `start`, in order. The kinds tell the formats apart. What it
 * remembers of earlier entries ends at each one that `isRestart`.
 */
export class EntryReader {
  readonly #second: SecondFormatReader

  constructor(start: Position) {
    this.#second = new SecondFormatReader(start)
  }

  /** Whether nothing before it is needed to read on from this frame. */
  isRestart(frame: Frame): boolean {
    return isFirstFormat(frame) || kindOf(frame) === kinds.block
  }

  /**
   * Where the record of a frame ends, without a look at its checksum; `position` is where the one before it does.
   * undefined when the frame is too short for its kind.
   */
  endOf(frame: Frame, position: Position): Position | undefined {
    try {
      return isFirstFormat(frame) ? endOfFirstFormat(frame) : this.#second.endOf(frame, position)
    } catch (error) {
      if (error instanceof RangeError) return undefined
      throw error
    }
  }

  /** undefined when the frame is not what was written. */
  read(frame: Frame): IndexEntry | undefined {
    if (isHeader(frame)) return readHeader(frame)
    if (!isIntact(frame)) return undefined
    try {
      return isFirstFormat(frame) ? readFirstFormat(frame) : this.#second.read(frame)
    } catch (error) {
      // It ends too early for its kind.
      if (error instanceof RangeError) return undefined
      throw error
    }
  }

  /** As `read`, with the place where its record ends. */
  step(frame: Frame, position: Position): { readonly entry: IndexEntry; readonly end: Position } | undefined {
    const entry = this.read(frame)
    return entry === undefined ? undefined : { entry, end: endOfEntry(entry, position) }
  }
}
