import { after, type Clock, type MonotonicMs, msUntil } from "@serialcast/primitives"

/** Whoever changed something has this time to say so; then it is gone. */
const patienceMs = 5_000
/** Who hears something wrong waits this long for another one to put it right. */
const promptMs = 200

/** Of which topics it is not known that the broker holds what it should, and when that is to be put right. */
export class Suspects {
  readonly #clock: Clock
  readonly #random: () => number
  readonly #due = new Map<string, MonotonicMs>()

  /** `random`: uniform in [0, 1); not all servers act at the same time. */
  constructor(clock: Clock, random: () => number) {
    this.#clock = clock
    this.#random = random
  }

  get size(): number {
    return this.#due.size
  }

  /** Something else should stand there from now on. */
  changed(name: string): void {
    this.#due.set(name, this.#in(patienceMs))
  }

  /** Something wrong stands there; who suspects it already goes on counting. */
  wrong(name: string): void {
    const due = this.#in(promptMs)
    if (due < (this.#due.get(name) ?? Number.POSITIVE_INFINITY)) this.#due.set(name, due)
  }

  clear(name: string): void {
    this.#due.delete(name)
  }

  has(name: string): boolean {
    return this.#due.has(name)
  }

  /** Those that are to be put right now. They count anew. */
  overdue(): string[] {
    const late = [...this.#due].filter(([, due]) => msUntil(this.#clock, due) <= 0)
    for (const [name] of late) this.changed(name)
    return late.map(([name]) => name)
  }

  #in(ms: number): MonotonicMs {
    return after(this.#clock.monotonicMs(), ms * (1 + this.#random()))
  }
}
