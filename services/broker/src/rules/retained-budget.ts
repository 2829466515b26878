// What a topic costs besides its text and payload: entries of maps, a parsed packet.
const entryBytes = 512

// What is not of the contract gets no more: however much strangers have retained, states and statuses find room.
const strangersShare = 0.75

/** Bounds the memory of all retained messages together, and more closely that of messages that are not the contract's. */
export class RetainedBudget {
  readonly #maxBytes: number
  readonly #bytesByTopic = new Map<string, number>()
  #totalBytes = 0
  #strangersBytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Whether this message may replace what its topic retains; an empty one clears it and always may (MQTT §3.3.1.3). */
  admit(topic: string, payloadBytes: number, isContract: boolean): boolean {
    const before = this.#bytesByTopic.get(topic) ?? 0
    const after = payloadBytes === 0 ? 0 : entryBytes + 2 * topic.length + payloadBytes
    const totalBytes = this.#totalBytes - before + after
    const strangersBytes = this.#strangersBytes + (isContract ? 0 : after - before)
    const isTooMuch = totalBytes > this.#maxBytes || strangersBytes > this.#maxBytes * strangersShare
    if (after > before && isTooMuch) return false
    this.#totalBytes = totalBytes
    this.#strangersBytes = strangersBytes
    if (after === 0) this.#bytesByTopic.delete(topic)
    else this.#bytesByTopic.set(topic, after)
    return true
  }
}
