import type { Files } from "../disk/files.ts"
import { readAround } from "../disk/read-around.ts"
import { type Frame, findFrame, isIntact, maxFrameBytes } from "./frame.ts"

// A page needs a few entries: what is read first is little, and more each time, up to room for the longest frame.
const firstBufferBytes = 8 * 1024
const maxBufferBytes = maxFrameBytes + 1

/** A part of an index file. */
export interface IndexRange {
  readonly file: number
  readonly from: number
  readonly to: number
}

export interface IndexVisitor {
  /** Whether the walk can go on with this frame after damage. */
  isRestart(frame: Frame): boolean
  /** `at` is where the frame is in the file. */
  visit(frame: Frame, at: number): "on" | "stopped" | "damaged"
}

/** Where a walk ended: `at` is the place of the first frame that was not passed. */
export interface WalkEnd {
  readonly at: number
  /** `torn`: the last frame is cut short. */
  readonly why: "end" | "torn" | "stopped"
  /** Something on the way was not what was written. It was passed over up to the next restart. */
  readonly isDamaged: boolean
}

/** Shows the frames of an index in order to `visitor`, until it answers "stopped". */
export async function walkIndex(files: Files, range: IndexRange, visitor: IndexVisitor): Promise<WalkEnd> {
  const { file, from, to } = range
  let buffer = new Uint8Array(Math.max(0, Math.min(firstBufferBytes, to - from)))
  const walk = new Walk(visitor)
  let at = from
  let filled = 0
  for (;;) {
    const free = buffer.subarray(filled, filled + to - at - filled)
    const got = await readAround(files, file, free, at + filled)
    const isLast = got < free.byteLength || at + filled + got >= to
    filled += got
    const passed = walk.pass({ view: new DataView(buffer.buffer, 0, filled), at, isLast })
    if (walk.why !== "on") return { at: at + passed, why: walk.why, isDamaged: walk.isDamaged }
    if (isLast) return { at: at + filled, why: "end", isDamaged: walk.isDamaged }
    const rest = buffer.subarray(passed, filled)
    at += passed
    filled -= passed
    const wanted = Math.min(2 * buffer.byteLength, maxBufferBytes, to - at)
    if (wanted > buffer.byteLength) buffer = new Uint8Array(wanted)
    buffer.set(rest)
  }
}

interface Loaded {
  readonly view: DataView
  /** Of the view's first byte in the file. */
  readonly at: number
  /** Nothing follows in the file. */
  readonly isLast: boolean
}

/** What of a walk outlives one buffer. */
class Walk {
  readonly #visitor: IndexVisitor
  why: "on" | "torn" | "stopped" = "on"
  isDamaged = false
  /** Behind damage, where no frame is known to begin. */
  #isSeeking = false

  constructor(visitor: IndexVisitor) {
    this.#visitor = visitor
  }

  /** Answers how much of the view was passed; what is left begins a frame that does not end in it. */
  pass(loaded: Loaded): number {
    let passed = 0
    while (passed < loaded.view.byteLength && this.why === "on") {
      const frame = findFrame(loaded.view, passed)
      if (frame === "torn" && !loaded.isLast) return passed
      passed += this.#isSeeking ? this.#seek(frame) : this.#step(frame, loaded.at + passed)
    }
    return passed
  }

  #step(frame: Frame | "torn" | "damaged", at: number): number {
    if (frame === "torn") {
      this.why = "torn"
      return 0
    }
    const answer = frame === "damaged" ? "damaged" : this.#visitor.visit(frame, at)
    if (answer === "stopped") this.why = "stopped"
    if (answer === "damaged") {
      this.isDamaged = true
      this.#isSeeking = true
      return 1
    }
    return answer === "on" && frame !== "damaged" ? frame.length : 0
  }

  #seek(frame: Frame | "torn" | "damaged"): number {
    if (typeof frame === "string" || !this.#visitor.isRestart(frame) || !isIntact(frame)) return 1
    this.#isSeeking = false
    return 0
  }
}
