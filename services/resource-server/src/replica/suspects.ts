import { type Clock, type MonotonicMs, msSince } from "@serialcast/primitives"

/** Of which topics it is not known that the broker holds what it should, and since when. */
export class Suspects {
  readonly #clock: Clock
  readonly #since = new Map<string, MonotonicMs>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get size(): number {
    return this.#since.size
  }

  /** Something else should stand there from now on. */
  changed(name: string): void {
    this.#since.set(name, this.#clock.monotonicMs())
  }

  /** Something wrong stands there; who suspects it already goes on counting. */
  suspect(name: string): void {
    if (!this.#since.has(name)) this.changed(name)
  }

  clear(name: string): void {
    this.#since.delete(name)
  }

  has(name: string): boolean {
    return this.#since.has(name)
  }

  /** Those for which nobody has done anything for so long. They count anew. */
  overdue(ms: number): string[] {
    const late = [...this.#since].filter(([, since]) => msSince(this.#clock, since) >= ms)
    for (const [name] of late) this.changed(name)
    return late.map(([name]) => name)
  }
}
