import type { MonotonicMs } from "@serialcast/primitives"
import { comparePositions, type Position } from "@serialcast/records"

const maxTimes = 1_024

/** Remembers when the places of a stream were appended, to within `stepMs`. */
export class AppendTimes {
  readonly #stepMs: number
  #times: { readonly from: Position; readonly ms: MonotonicMs }[] = []

  constructor(stepMs: number) {
    this.#stepMs = stepMs
  }

  /** The record at `from` was appended now; those after it later. */
  add(from: Position, ms: MonotonicMs): void {
    const last = this.#times.at(-1)
    if (last !== undefined && ms - last.ms < this.#stepMs) return
    this.#times.push({ from, ms })
    // Of what waits for a disk for hours, when it came is asked less and less exactly.
    if (this.#times.length > maxTimes) this.#times = this.#times.filter((_, at) => at % 2 === 0)
  }

  /** Nobody asks for what is before `position` any more. */
  forget(position: Position): void {
    const later = this.#times.findIndex(({ from }) => comparePositions(from, position) > 0)
    const passed = later < 0 ? this.#times.length - 1 : later - 1
    if (passed > 0) this.#times = this.#times.slice(passed)
  }

  /** When what is at `position` was appended, or up to a step before. */
  at(position: Position): number {
    const time = this.#times.findLast(({ from }) => comparePositions(from, position) <= 0)
    return time?.ms ?? Number.NEGATIVE_INFINITY
  }
}
