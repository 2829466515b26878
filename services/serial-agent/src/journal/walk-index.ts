import type { Files } from "./files.ts"
import { findEntry, maxEntryBytes, type RawEntry } from "./index-entry.ts"

// Room for the longest entry; more would be read in vain by pages, which need a few entries each.
const blockBytes = maxEntryBytes + 1

/** A part of an index file. */
export interface IndexRange {
  readonly file: number
  readonly from: number
  readonly to: number
}

/** Where a walk ended, and why: `at` is the place of the first entry that was not passed. */
export interface WalkEnd {
  readonly at: number
  readonly why: "end" | "torn" | "damaged" | "stopped"
}

/** Shows the entries of an index in order to `visit`, until it answers something else than "on". */
export async function walkIndex(
  files: Files,
  { file, from, to }: IndexRange,
  visit: (entry: RawEntry, at: number) => "on" | "stopped" | "damaged",
): Promise<WalkEnd> {
  const block = new Uint8Array(Math.min(blockBytes, to - from))
  let at = from
  let filled = 0
  for (;;) {
    const free = block.subarray(filled, filled + to - at - filled)
    const got = await files.read(file, free, at + filled)
    const isLast = got < free.byteLength || at + filled + got >= to
    filled += got
    const view = new DataView(block.buffer, 0, filled)
    let passed = 0
    while (passed < filled) {
      const entry = findEntry(view, passed)
      if (entry === "torn" && !isLast) break
      const answer = typeof entry === "string" ? entry : visit(entry, at + passed)
      if (answer !== "on") return { at: at + passed, why: answer }
      if (typeof entry !== "string") passed += entry.length
    }
    block.copyWithin(0, passed, filled)
    at += passed
    filled -= passed
    if (isLast) return { at, why: "end" }
  }
}
