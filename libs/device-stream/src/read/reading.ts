import type { QuietEvent, StreamEvent } from "./stream-event.ts"

type Read = StreamEvent | QuietEvent

/** Events one by one, of which the next one may be asked for before it is wanted. */
export class Reading {
  readonly #events: AsyncIterator<Read>
  #next: Promise<Read | undefined> | null = null
  #isWaiting = false

  constructor(events: AsyncIterable<Read>) {
    this.#events = events[Symbol.asyncIterator]()
  }

  /** The event that was asked for has not come. */
  get isWaiting(): boolean {
    return this.#isWaiting
  }

  /** Asks for the next event, unless that was done. */
  begin(): Promise<Read | undefined> {
    if (this.#next !== null) return this.#next
    this.#isWaiting = true
    this.#next = this.#events.next().then((result) => {
      this.#isWaiting = false
      return result.done === true ? undefined : result.value
    })
    // Whoever stops reading hears nothing of it any more.
    this.#next.catch(() => {})
    return this.#next
  }

  /** undefined when there is no more. */
  async next(): Promise<Read | undefined> {
    const next = this.begin()
    this.#next = null
    return await next
  }

  /** The signal that the reading was given must be aborted when an event is asked for. */
  async end(): Promise<void> {
    await this.#events.return?.()
  }
}
