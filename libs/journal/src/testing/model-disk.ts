import type { StreamRecord } from "@serialcast/contract"
import { comparePositions, endOf, type Position } from "@serialcast/records"
import type { Batch } from "../stream/stream-state.ts"

export type Mood = "works" | "slow" | "hangs" | "refuses" | "lies"

/** A disk as a stream sees it, in memory: it is slow, hangs, refuses, is full, lies, and comes back. */
export class ModelDisk {
  mood: Mood = "works"
  /** What the kernel has, in order. A killed process takes nothing of it back. */
  readonly kept: StreamRecord[] = []
  /** So many of `kept` outlive a power failure. */
  synced = 0
  /** It said that it refused, and had taken it. */
  hasLied = false
  #batch: Batch | null = null

  /** Whether a write is under way. */
  get isBusy(): boolean {
    return this.#batch !== null
  }

  begin(batch: Batch): void {
    this.#batch = batch
  }

  /** How the write under way ends, if it does now. */
  end(): "wrote" | "refused" | null {
    const batch = this.#batch
    if (batch === null || this.mood === "hangs") return null
    this.#batch = null
    if (this.mood === "refuses") return "refused"
    this.#keep(batch.records)
    this.hasLied ||= this.mood === "lies"
    return this.mood === "lies" ? "refused" : "wrote"
  }

  /** The process is gone: of what it was writing, a part may be there. */
  kill(part: number): void {
    const batch = this.#batch
    this.#batch = null
    if (batch !== null && this.mood !== "refuses") this.#keep(batch.records.slice(0, part))
  }

  /** What was not synced is gone, or a part of it. */
  failPower(part: number): void {
    this.kill(0)
    this.kept.length = Math.min(this.kept.length, this.synced + part)
  }

  get head(): Position {
    const last = this.kept.at(-1)
    return last === undefined ? { offset: 0, mark: 0 } : endOf(last)
  }

  #keep(records: readonly StreamRecord[]): void {
    for (const record of records) if (comparePositions(endOf(record), this.head) > 0) this.kept.push(record)
  }
}
