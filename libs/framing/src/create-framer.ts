import type { Framing, Mark } from "@serialcast/contract"
import { decodeHex } from "@serialcast/primitives"
import { DelimiterScanner } from "./delimiter-scanner.ts"
import { FixedScanner } from "./fixed-scanner.ts"
import { type Frame, FrameBuilder, type Place } from "./frame-builder.ts"
import { IdleScanner } from "./idle-scanner.ts"
import { LineScanner } from "./line-scanner.ts"
import type { Scanner } from "./scanner.ts"
import { SlipScanner } from "./slip-scanner.ts"

/** Cuts the bytes of a stream into messages. Holds one message at most; every byte is in a frame or marked its end. */
export interface Framer {
  /** When so much time passes after a chunk with nothing new, the caller flushes; null: silence means nothing. */
  readonly silenceMs: number | null
  /** A message has begun and its end has not come. */
  readonly isHolding: boolean
  /** The frames that end in `bytes`, whose first byte has this place; they must follow on those before, or a flush. */
  push(bytes: Uint8Array, place: Place): readonly Frame[]
  /**
   * Ends what is held: after a `silence` of `silenceMs` it is whole, at a `break` (bytes are missing here, or the port
   * was closed) it is cut.
   */
  flush(reason: "silence" | "break"): readonly Frame[]
}

/** A framer whose first message begins at the first byte that it is given. */
export function createFramer(framing: Framing): Framer {
  const frames = new FrameBuilder(framing.type === "fixed" ? framing.length : framing.maxBytes)
  const scanner = createScanner(framing, frames)
  let nextOffset = 0
  return {
    silenceMs: framing.type === "idle" ? framing.idleMs : null,
    get isHolding() {
      return frames.isHolding
    },
    push(bytes, { offset, timeUs }) {
      let at = offset
      for (const byte of bytes) scanner.take(byte, at++, timeUs)
      nextOffset = at
      return frames.take()
    },
    flush(reason) {
      scanner.release()
      if (frames.isHolding) frames.end(nextOffset, reason === "break")
      return frames.take()
    },
  }
}

/** Whether no message goes on over this mark: what was sent around it may be missing, or come from another device. */
export function isFrameBreak({ kind }: Mark): boolean {
  return kind === "opened" || kind === "closed" || kind === "overrun"
}

function createScanner(framing: Framing, frames: FrameBuilder): Scanner {
  switch (framing.type) {
    case "line":
      return new LineScanner(frames)
    case "delimiter":
      // The contract admits hex digits in pairs only.
      return new DelimiterScanner(frames, decodeHex(framing.delimiter) ?? new Uint8Array(0))
    case "fixed":
      return new FixedScanner(frames)
    case "idle":
      return new IdleScanner(frames, framing.idleMs)
    case "slip":
      return new SlipScanner(frames)
  }
}
