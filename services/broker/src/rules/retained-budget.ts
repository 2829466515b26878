// What a topic costs besides its text and payload: entries of maps, a parsed packet.
const entryBytes = 512

/** Bounds the memory of all retained messages together. */
export class RetainedBudget {
  readonly #maxBytes: number
  readonly #bytesByTopic = new Map<string, number>()
  #totalBytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Whether this message may replace what its topic retains; an empty one clears it and always may (MQTT §3.3.1.3). */
  admit(topic: string, payloadBytes: number): boolean {
    const before = this.#bytesByTopic.get(topic) ?? 0
    const after = payloadBytes === 0 ? 0 : entryBytes + 2 * topic.length + payloadBytes
    const totalBytes = this.#totalBytes - before + after
    if (after > before && totalBytes > this.#maxBytes) return false
    this.#totalBytes = totalBytes
    if (after === 0) this.#bytesByTopic.delete(topic)
    else this.#bytesByTopic.set(topic, after)
    return true
  }
}
