import type { Framing, Mark } from "@serialcast/contract"
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
  /** When so much time passes after a read with nothing new, `silence` is to be called; null: silence means nothing. */
  readonly silenceMs: number | null
  /** A message has begun and its end has not come. */
  readonly isHolding: boolean
  /** The frames that end in `bytes`, whose first byte has this place; they must follow on those before, or a break. */
  push(bytes: Uint8Array, place: Place): readonly Frame[]
  /** Ends what is held: after a silence of `silenceMs` it is whole. */
  silence(): readonly Frame[]
  /** Ends what is held: it is cut, unless the port had been silent for long enough. */
  interrupt(at: FrameBreak): readonly Frame[]
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
  let nextOffset = 0
  const silence = () => {
    scanner.silence()
    frames.end(nextOffset)
  }
  return {
    silenceMs: framing.type === "idle" ? framing.idleMs : null,
    get isHolding() {
      return frames.isHolding
    },
    push(bytes, { offset, timeUs, reads = [] }) {
      let at = offset
      const take = (end: number, readUs: number) => {
        const part =
          end - offset < bytes.byteLength
            ? bytes.subarray(at - offset, end - offset)
            : bytes.subarray(at - offset)
        for (const byte of part) scanner.take(byte, at++, readUs)
      }
      let readUs = timeUs
      for (const read of reads) {
        take(read.offset, readUs)
        readUs = read.timeUs
      }
      take(offset + bytes.byteLength, readUs)
      nextOffset = at
      return frames.take()
    },
    silence() {
      silence()
      return frames.take()
    },
    interrupt({ kind, timeUs }) {
      // Until it was opened nobody read the port.
      if (kind !== "opened" && timeUs !== undefined && scanner.isOverAt(timeUs)) silence()
      const mayGoOn = kind === "lost" || (framing.type !== "fixed" && (frames.isHolding || frames.isInside))
      scanner.release()
      frames.cut(nextOffset, mayGoOn)
      scanner.restart(kind !== "lost", kind === "opened" ? (timeUs ?? null) : null)
      return frames.take()
    },
    quiet(untilUs) {
      if (frames.isHolding && scanner.isOverAt(untilUs)) silence()
      return frames.take()
    },
    skipTo: (offset) => frames.skipTo(offset),
  }
}

/** What a mark is to messages; null: they go on over it. */
export function breakAt({ kind }: Mark, timeUs: number): FrameBreak | null {
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
