import { after, type Clock, longAgo, msUntil } from "@serialcast/primitives"

/**
 * How long after the agent answered a change its answer counts for more than the device's state, in milliseconds: the
 * state comes by another way and may tell of the time before.
 */
const answerCountsMs = 1_000

export interface KnownValuesOptions<T extends object> {
  /** Until something is told or changed. */
  readonly initial: T
  /** What the device's state tells; what is absent there is as it was set last. */
  readonly told: () => Partial<T>
  readonly clock: Pick<Clock, "monotonicMs">
}

/**
 * Values of one port, its settings or its lines, as they will be when the changes that are on their way are done. Programs
 * ask for what they have just set, and set again what is set, so this answers for the port without asking it.
 */
export class KnownValues<T extends object> {
  readonly #options: KnownValuesOptions<T>
  #values: T
  #underway = 0
  #trustedUntilMs = longAgo

  constructor(options: KnownValuesOptions<T>) {
    this.#options = options
    this.#values = options.initial
  }

  get values(): T {
    const { told, clock } = this.#options
    const isOwn = this.#underway > 0 || msUntil(clock, this.#trustedUntilMs) > 0
    if (!isOwn) this.#values = { ...this.#values, ...told() }
    return this.#values
  }

  /** Whether all of `part` is so already. */
  has(part: Partial<T>): boolean {
    const { values } = this
    // The keys of a Partial<T> are keys of T; TypeScript types Object.keys as string[].
    return (Object.keys(part) as (keyof T)[]).every((key) => values[key] === part[key])
  }

  /** Sets values that only this knows. */
  set(part: Partial<T>): void {
    this.#values = { ...this.values, ...part }
  }

  /**
   * Changes values by `call`, which answers what they are then, null: as was asked. They count from now on, and as before
   * when it fails; throws what it throws.
   */
  async change(part: Partial<T>, call: () => Promise<Partial<T> | null>): Promise<void> {
    const before = this.values
    this.#values = { ...before, ...part }
    this.#underway += 1
    try {
      const answered = await call()
      if (answered !== null) this.#learn(part, answered)
      this.#trustedUntilMs = after(this.#options.clock.monotonicMs(), answerCountsMs)
    } catch (error) {
      this.#takeBack(part, before)
      throw error
    } finally {
      this.#underway -= 1
    }
  }

  /** Of several changes on their way, the answer to one does not have the others yet. */
  #learn(part: Partial<T>, answered: Partial<T>): void {
    const own = (Object.keys(part) as (keyof T)[]).filter((key) => this.#values[key] === part[key])
    const news = own.map((key) => [key, answered[key] ?? part[key]])
    this.#values = { ...this.#values, ...(this.#underway === 1 ? answered : Object.fromEntries(news)) }
  }

  /** What somebody changed since stays. */
  #takeBack(part: Partial<T>, before: T): void {
    const values = { ...this.#values }
    // As in `has`.
    for (const key of Object.keys(part) as (keyof T)[])
      if (values[key] === part[key]) values[key] = before[key]
    this.#values = values
  }
}
