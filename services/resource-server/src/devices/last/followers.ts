import { AppError } from "@serialcast/contract"
import { type Clock, delay } from "@serialcast/primitives"
import { Follower, type FollowerOptions } from "./follower.ts"

/** Of so many devices somebody may have asked lately; of another one only when that is not so any more. */
const maxFollowers = 64
/** A follower that nobody has asked for so long ends, in milliseconds. */
const idleMs = 5 * 60_000
const lookMs = 30_000
/** Requests that wait, of all clients: each holds a timer and its response. */
const maxWaiting = 1_024

/** The devices whose newest messages somebody asked for lately: each is followed once, however many wait for it. */
export class Followers {
  readonly #options: Omit<FollowerOptions, "address">
  readonly #clock: Clock
  readonly #byAddress = new Map<string, Follower>()
  readonly #stopping = new AbortController()
  readonly #looking: Promise<void>
  #waiting = 0

  constructor(options: Omit<FollowerOptions, "address">) {
    this.#options = options
    this.#clock = options.clock
    this.#looking = this.#lookAround()
  }

  /** How many devices are followed now. */
  get size(): number {
    return this.#byAddress.size
  }

  /** The follower of a known device. Throws `overloaded`. */
  follow(address: string): Follower {
    const found = this.#byAddress.get(address)
    if (found !== undefined && !found.isOver) {
      found.touch()
      return found
    }
    if (found === undefined && this.size >= maxFollowers) this.#makeRoom()
    if (this.#stopping.signal.aborted) throw new AppError("overloaded", "The service is stopping; try again.")
    const follower = new Follower({ ...this.#options, address })
    this.#byAddress.set(address, follower)
    return follower
  }

  /** Waits for news of `follower`, or so long. Throws `overloaded`. */
  async wait(follower: Follower, ms: number, signal: AbortSignal): Promise<void> {
    if (this.#waiting >= maxWaiting)
      throw new AppError("overloaded", `${maxWaiting} requests wait for devices already.`)
    this.#waiting += 1
    follower.waiting += 1
    try {
      await follower.news.wait({ signal, timeout: { clock: this.#clock, ms } })
    } finally {
      this.#waiting -= 1
      follower.waiting -= 1
      follower.touch()
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    const all = [...this.#byAddress.values()]
    for (const follower of all) follower.stop()
    await Promise.all([this.#looking, ...all.map(({ over }) => over)])
  }

  #makeRoom(): void {
    const [address, follower] =
      [...this.#byAddress].toSorted(([, one], [, other]) => other.unaskedMs - one.unaskedMs)[0] ?? []
    if (address === undefined || follower === undefined || follower.waiting > 0)
      throw new AppError("overloaded", `${maxFollowers} other devices are waited for.`)
    this.#end(address, follower)
  }

  #end(address: string, follower: Follower): void {
    this.#byAddress.delete(address)
    follower.stop()
  }

  async #lookAround(): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      await delay(this.#clock, lookMs, signal)
      for (const [address, follower] of this.#byAddress)
        if (follower.isOver || follower.unaskedMs >= idleMs) this.#end(address, follower)
    }
  }
}
