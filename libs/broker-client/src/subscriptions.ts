import type { Destination } from "@serialcast/contract"
import type { Message, MessageHandler } from "./client.ts"

interface Subscription {
  readonly filter: Destination
  readonly levels: readonly string[]
  readonly handler: MessageHandler
}

/** The filters that one client wants, and who handles what comes in on them. */
export class Subscriptions {
  readonly #byFilter = new Map<string, Subscription>()

  get filters(): readonly Destination[] {
    return [...this.#byFilter.values()].map(({ filter }) => filter)
  }

  /**
   * Answers the function that removes it, which answers whether it was still there. Throws RangeError when the same
   * filter is there already: the second handler would take the first one's messages.
   */
  add(filter: Destination, handler: MessageHandler): () => boolean {
    const { topic } = filter
    if (this.#byFilter.has(topic)) throw new RangeError(`${topic} is subscribed already`)
    const subscription = { filter, levels: topic.split("/"), handler }
    this.#byFilter.set(topic, subscription)
    return () => this.#byFilter.get(topic) === subscription && this.#byFilter.delete(topic)
  }

  dispatch(message: Message): void {
    const exact = this.#byFilter.get(message.topic)
    if (exact !== undefined) return exact.handler(message)
    const levels = message.topic.split("/")
    for (const subscription of this.#byFilter.values()) {
      if (matches(subscription.levels, levels)) return subscription.handler(message)
    }
  }
}

/** MQTT 3.1.1 §4.7.1: `a/#` is `a` too. */
function matches(filter: readonly string[], topic: readonly string[]): boolean {
  const isOpen = filter.at(-1) === "#"
  const wanted = isOpen ? filter.slice(0, -1) : filter
  const isLongEnough = isOpen ? topic.length >= wanted.length : topic.length === wanted.length
  return isLongEnough && wanted.every((level, at) => level === "+" || level === topic[at])
}
