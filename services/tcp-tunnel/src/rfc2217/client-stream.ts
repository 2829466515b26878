import type { Device, ReadOptions, StreamEvent } from "@serialcast/device-stream"
import { createWakeup, shareRuns, type WaitLimits } from "@serialcast/primitives"

/** A device's stream from one place on. */
interface Reading {
  readonly events: AsyncIterator<StreamEvent, void, undefined>
  /** Aborted when another one goes on in its place, or when the client leaves. */
  readonly signal: AbortSignal
  /** Gives back what reading holds. */
  readonly end: () => void
}

/**
 * A device's stream for one client that may ask for silence, and may drop what it has not got yet. It is read like the
 * device itself, once.
 */
export class ClientStream {
  readonly #device: Pick<Device, "read">
  readonly #resumed = createWakeup()
  readonly #found = createWakeup()
  #hasStarted = false
  #isSuspended = false
  #leaving: AbortSignal | null = null
  #current: Reading | null = null
  /** Goes on in place of the current one. */
  #next: Reading | null = null

  constructor(device: Pick<Device, "read">) {
    this.#device = device
  }

  /**
   * Resolves when the place is found where the reading starts: what the device sends from then on is delivered. Or as the
   * limits say.
   */
  async started(limits: WaitLimits): Promise<void> {
    if (!this.#hasStarted) await this.#found.wait(limits)
  }

  /** Nothing is delivered until `resume`; the client's place in the journal waits, and costs nothing. */
  suspend(): void {
    this.#isSuspended = true
  }

  resume(): void {
    this.#isSuspended = false
    this.#resumed.wake()
  }

  /**
   * Drops what the device sent so far and was not delivered. Resolves when it is known where that ends, which takes 1 s at
   * most: what the device sends from then on is delivered. However often it is asked for, one place is looked for at a time.
   * Throws as `Device.read`.
   */
  readonly purge = shareRuns(() => this.#purge())

  async #purge(): Promise<void> {
    const leaving = this.#leaving
    if (leaving === null || leaving.aborted) return
    const next = this.#open({ from: { kind: "now" }, signal: leaving })
    try {
      // Its first event tells that its place is found.
      await next.events.next()
    } catch (error) {
      next.end()
      throw error
    }
    // Nobody would read it, nor end it.
    if (leaving.aborted || this.#leaving === null) return next.end()
    this.#next?.end()
    this.#next = next
    this.#current?.end()
  }

  /** As `Device.read`. */
  async *read(options: ReadOptions): AsyncGenerator<StreamEvent, void, undefined> {
    this.#leaving = options.signal
    let reading = this.#open(options)
    try {
      while (!options.signal.aborted) {
        this.#current = reading
        yield* this.#deliver(reading)
        if (this.#next === null) return
        reading = this.#next
        this.#next = null
      }
    } finally {
      this.#leaving = null
      reading.end()
      this.#next?.end()
      this.#next = null
    }
  }

  async *#deliver({ events, signal }: Reading): AsyncGenerator<StreamEvent, void, undefined> {
    for (;;) {
      const { value, done } = await events.next()
      this.#hasStarted = true
      this.#found.wake()
      while (this.#isSuspended && !signal.aborted) await this.#resumed.wait({ signal })
      if (done === true || signal.aborted) return
      yield value
    }
  }

  #open({ signal: leaving, ...options }: ReadOptions): Reading {
    const ending = new AbortController()
    const abort = () => ending.abort()
    leaving.addEventListener("abort", abort)
    if (leaving.aborted) abort()
    const events = this.#device.read({ ...options, signal: ending.signal })[Symbol.asyncIterator]()
    return {
      events,
      signal: ending.signal,
      end() {
        leaving.removeEventListener("abort", abort)
        abort()
        // It is at its end or gets there by the signal.
        void events.return?.()
      },
    }
  }
}
