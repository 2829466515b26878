import type { Framing, Mark, MarkRecord } from "@serialcast/contract"
import { decodeHex } from "@serialcast/primitives"
import { DelimiterScanner } from "./delimiter-scanner.ts"
import { type AnchorAt, FixedScanner } from "./fixed-scanner.ts"
import { type Frame, FrameBuilder, type Place } from "./frame-builder.ts"
import { IdleScanner } from "./idle-scanner.ts"
import { LineScanner } from "./line-scanner.ts"
import type { Scanner } from "./scanner.ts"
import { SlipScanner } from "./slip-scanner.ts"

/**
 * What stands between two bytes, over which no message goes on: the port was closed or opened, or bytes are missing
 * (`lost`). What follows on an opening begins a message, unless one was cut: then it may be the rest of that.
 */
export interface FrameBreak {
  readonly kind: "closed" | "opened" | "lost"
  /** When it was, in microseconds since 1970; absent: nobody knows. */
  readonly timeUs?: number | undefined
}

/** Cuts the bytes of a stream into messages. Holds one message at most; every byte is in a frame or marked its end. */
export interface Framer {
  /** When so much time passes after a read with nothing new, it is to be flushed; null: silence means nothing. */
  readonly idleMs: number | null
  /** A message has begun and its end has not come. */
  readonly isHolding: boolean
  /** The frames that end in `bytes`, whose first byte has this place; they must follow on those before, or a break. */
  push(bytes: Uint8Array, place: Place): readonly Frame[]
  /** Ends what is held: after a `silence` of `idleMs` it is whole; at a break it is cut, unless the port had been silent. */
  flush(reason: "silence" | FrameBreak): readonly Frame[]
  /** A mark of the stream, which may interrupt it; most do not. */
  mark(record: Pick<MarkRecord, "mark" | "timeUs">): readonly Frame[]
  /** Nothing more was read up to then, in microseconds since 1970: ends what that makes whole. */
  quiet(untilUs: number): readonly Frame[]
  /**
   * Frames before `offset`, where the bytes are now, were had: what is held of a message is kept if its begin was seen, and
   * what comes is cut if it was not.
   */
  skipTo(offset: number): void
}

export interface FramerOptions {
  /** The first byte may be in the middle of a message. Default: one begins with it. */
  readonly startsInside?: boolean
  /** Where messages of a fixed length are counted from, when their count was not followed. Default: nobody knows. */
  readonly anchorAt?: AnchorAt
}

export function createFramer(framing: Framing, options: FramerOptions = {}): Framer {
  const { startsInside = false, anchorAt = () => undefined } = options
  const frames = new FrameBuilder(framing.type === "fixed" ? framing.length : framing.maxBytes, startsInside)
  const scanner = createScanner(framing, frames, anchorAt)
  scanner.restart(!startsInside, null)
  return new ScannedFramer(framing, frames, scanner)
}

class ScannedFramer implements Framer {
  readonly idleMs: number | null
  readonly #isFixed: boolean
  readonly #frames: FrameBuilder
  readonly #scanner: Scanner
  #nextOffset = 0

  constructor(framing: Framing, frames: FrameBuilder, scanner: Scanner) {
    this.idleMs = framing.type === "idle" ? framing.idleMs : null
    this.#isFixed = framing.type === "fixed"
    this.#frames = frames
    this.#scanner = scanner
  }

  get isHolding(): boolean {
    return this.#frames.isHolding
  }

  push(bytes: Uint8Array, { offset, timeUs, reads = [] }: Place): readonly Frame[] {
    this.#nextOffset = offset
    let readUs = timeUs
    for (const read of reads) {
      this.#take(bytes, offset, read.offset, readUs)
      readUs = read.timeUs
    }
    this.#take(bytes, offset, offset + bytes.byteLength, readUs)
    return this.#frames.take()
  }

  flush(reason: "silence" | FrameBreak): readonly Frame[] {
    if (reason !== "silence") return this.#interrupt(reason)
    this.#scanner.silence()
    this.#frames.end(this.#nextOffset)
    return this.#frames.take()
  }

  quiet(untilUs: number): readonly Frame[] {
    return this.isHolding && this.#scanner.isOverAt(untilUs) ? this.flush("silence") : []
  }

  mark({ mark, timeUs }: Pick<MarkRecord, "mark" | "timeUs">): readonly Frame[] {
    if (mark.kind === "clock") this.#scanner.setClock(mark.stepMs * 1000)
    const found = breakAt(mark, timeUs)
    return found === null ? [] : this.#interrupt(found)
  }

  skipTo(offset: number): void {
    this.#frames.skipTo(offset)
  }

  #interrupt({ kind, timeUs }: FrameBreak): readonly Frame[] {
    const [frames, scanner] = [this.#frames, this.#scanner]
    // Until it was opened nobody read the port.
    const whole = kind === "opened" || timeUs === undefined ? [] : this.quiet(timeUs)
    const mayGoOn = kind === "lost" || (!this.#isFixed && (frames.isHolding || frames.isInside))
    scanner.release()
    frames.cut(this.#nextOffset, mayGoOn)
    scanner.restart(kind !== "lost", kind === "opened" ? (timeUs ?? null) : null)
    return [...whole, ...frames.take()]
  }

  /** The next bytes of a chunk that begins at `start`, up to offset `end`. */
  #take(bytes: Uint8Array, start: number, end: number, timeUs: number): void {
    let at = this.#nextOffset
    for (const byte of bytes.subarray(at - start, Math.max(at, end) - start)) {
      this.#scanner.take(byte, at++, timeUs)
    }
    this.#nextOffset = at
  }
}

/** What a mark is to messages; null: they go on over it. */
function breakAt({ kind }: Mark, timeUs: number): FrameBreak | null {
  if (kind === "opened" || kind === "closed") return { kind, timeUs }
  return kind === "overrun" ? { kind: "lost", timeUs } : null
}

/**
 * How far before a place a framer must begin, in bytes, to know whether a message begins there, and to have the one that
 * goes on over it whole. Of messages of a fixed length, whose begin is counted, that is up to the caller.
 */
export function lookBackBytes(framing: Exclude<Framing, { type: "fixed" }>): number {
  switch (framing.type) {
    case "line":
      return framing.maxBytes + "\n\r\n".length
    case "delimiter":
      return framing.maxBytes + framing.delimiter.length
    case "idle":
      return framing.maxBytes + 1
    case "slip":
      // Each byte may be escaped.
      return 2 * framing.maxBytes + 2
  }
}

function createScanner(framing: Framing, frames: FrameBuilder, anchorAt: AnchorAt): Scanner {
  switch (framing.type) {
    case "line":
      return new LineScanner(frames)
    case "delimiter":
      // The contract admits hex digits in pairs only.
      return new DelimiterScanner(frames, decodeHex(framing.delimiter) ?? new Uint8Array(0))
    case "fixed":
      return new FixedScanner(frames, framing.length, anchorAt)
    case "idle":
      return new IdleScanner(frames, framing.idleMs)
    case "slip":
      return new SlipScanner(frames)
  }
}
