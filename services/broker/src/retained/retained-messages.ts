import { Readable } from "node:stream"
import type { Topics } from "@serialcast/contract"
import type { PublishPacket } from "aedes"
import { matchesFilter } from "../mqtt/matches-filter.ts"
import { type KeptMessage, keptForm } from "../rules/kept-form.ts"
import type { KeptRecord } from "./record.ts"

/** What is retained now, as everybody reads it: in memory. */
export class RetainedMessages {
  readonly #topics: Topics
  readonly #byTopic = new Map<string, PublishPacket>()
  /** Retained wills of clients that are connected, by their topic; of several the last one counts. */
  readonly #wills = new Map<string, { readonly holder: object; readonly message: KeptMessage }>()

  constructor(topics: Topics) {
    this.#topics = topics
  }

  /** A message that is to be retained; an empty one clears its topic (MQTT 3.1.1 §3.3.1.3). */
  put({ topic, payload, qos }: Pick<PublishPacket, "topic" | "payload" | "qos">): void {
    if (payload.length === 0) this.#byTopic.delete(topic)
    else this.#byTopic.set(topic, { cmd: "publish", dup: false, retain: true, topic, qos, payload })
  }

  /** What was kept from before the start. */
  restore({ topic, message }: KeptRecord): void {
    this.put({ topic, qos: message?.qos ?? 0, payload: Buffer.from(message?.payload ?? []) })
  }

  holdWill(holder: object, topic: string, message: KeptMessage): void {
    this.#wills.set(topic, { holder, message })
  }

  dropWill(holder: object, topic: string): void {
    if (this.#wills.get(topic)?.holder === holder) this.#wills.delete(topic)
  }

  /** Those of which something is to be kept on the disk. */
  topics(): Iterable<string> {
    return new Set([...this.#byTopic.keys(), ...this.#wills.keys()])
  }

  /** What the disk is to keep of a topic. */
  keptForm(topic: string): KeptMessage | undefined {
    const packet = this.#byTopic.get(topic)
    const message = packet && { qos: packet.qos, payload: bytesOf(packet.payload) }
    return keptForm({
      kind: this.#topics.parse(topic)?.kind,
      message,
      will: this.#wills.get(topic)?.message,
    })
  }

  /** The part of aedes's store that is about retained messages. They are put here before aedes publishes them. */
  asStore() {
    return {
      storeRetained: async () => {},
      createRetainedStream: (filter: string) => Readable.from(this.#matching([filter])),
      createRetainedStreamCombi: (filters: readonly string[]) => Readable.from(this.#matching(filters)),
    }
  }

  *#matching(filters: readonly string[]): Iterable<PublishPacket> {
    for (const filter of filters)
      for (const [topic, packet] of this.#byTopic) if (matchesFilter(filter, topic)) yield packet
  }
}

function bytesOf(payload: string | Uint8Array): Uint8Array {
  return typeof payload === "string" ? new TextEncoder().encode(payload) : payload
}
