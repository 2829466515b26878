import { AppError } from "@serialcast/contract"
import type { Log } from "../log.ts"
import type { SegmentPlace } from "./segment.ts"

/** Remembers which segments of a journal cannot be read in part, and says each once. */
export class Unreadable {
  readonly #log: Log
  readonly #segments = new Map<string, string>()
  /** The newest epoch, which ends where it goes on: of the others, a torn end is what a power failure leaves. */
  readonly #currentEpoch: () => string
  readonly #onChange: () => void

  constructor(deps: {
    readonly log: Log
    readonly currentEpoch: () => string
    readonly onChange: () => void
  }) {
    this.#log = deps.log
    this.#currentEpoch = deps.currentEpoch
    this.#onChange = deps.onChange
  }

  /** How many segments. */
  get count(): number {
    return this.#segments.size
  }

  get problem(): AppError | null {
    const [first] = this.#segments
    if (first === undefined) return null
    const [name, reason] = first
    const others = this.#segments.size === 1 ? "" : ` and ${this.#segments.size - 1} more`
    const message = `A part of what was kept cannot be read (${name}${others}: ${reason}). Readers get a gap of its size.`
    return new AppError("journal_failed", message)
  }

  add({ epoch, stream, start }: SegmentPlace, reason: string, isTail: boolean): void {
    if (isTail && epoch !== this.#currentEpoch()) return
    const name = `${epoch}/${stream}-${start.offset}`
    if (this.#segments.has(name)) return
    this.#segments.set(name, reason)
    this.#log.error({ segment: name, reason }, "a part of the journal cannot be read, and is a gap")
    this.#onChange()
  }
}
