import type { StreamName } from "@serialcast/contract"
import type { JournalCounts, NewMark } from "./journal.ts"

/** Counts what a journal is given. */
export class Tally {
  readonly #bytes: Record<StreamName, number> = { rx: 0, tx: 0 }
  readonly #refusals = new Map<string, number>()
  #opens = 0

  append(stream: StreamName, { byteLength }: Uint8Array): void {
    this.#bytes[stream] += byteLength
  }

  mark(mark: NewMark): void {
    if (mark.kind === "opened") this.#opens++
    if (mark.kind === "refused") this.#refusals.set(mark.code, (this.#refusals.get(mark.code) ?? 0) + 1)
  }

  counts(unkeptBytes: number): JournalCounts {
    return {
      unreadableSegments: 0,
      bytes: this.#bytes,
      opens: this.#opens,
      refusals: this.#refusals,
      unkeptBytes,
    }
  }
}
