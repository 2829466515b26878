import type { BrokerClient } from "@serialcast/broker-client"
import type { Clock } from "@serialcast/primitives"
import { encodeAnswer, encodeMessage, type ReplicaAnswer, type ReplicaMessage } from "./messages.ts"
import type { Replica } from "./replica.ts"

/** `T` without these keys, each kind of it. */
type Without<T, Key extends PropertyKey> = T extends unknown ? Omit<T, Key> : never

/** Servers that are told all at the same time: for each of them all of it is there as text. */
const maxTelling = 4

const encoder = new TextEncoder()

/** What one server says on the broker. Everything rejects when the broker does not have it. */
export class Voice {
  readonly #broker: BrokerClient
  readonly #clock: Clock
  readonly #maxUri: number
  #lastId = 0
  #telling = 0

  constructor(broker: BrokerClient, { clock, maxUri }: { readonly clock: Clock; readonly maxUri: number }) {
    this.#broker = broker
    this.#clock = clock
    this.#maxUri = maxUri
  }

  /** For the next message. */
  newId(): string {
    this.#lastId += 1
    return `${this.#lastId}`
  }

  /** To all servers, in the one order. */
  async toAll(message: Without<ReplicaMessage, "by">): Promise<void> {
    const said = { ...message, by: this.#broker.clientId } as ReplicaMessage
    await this.#broker.publish(this.#broker.topics.resourceCommand(), encodeMessage(said))
  }

  /** What stands on the topic of a resource, by somebody's hand, is to count. */
  async proposeAdoption(id: string, uri: string, text: string): Promise<void> {
    await this.toAll({ kind: "adopt", id, at: this.#clock.nowMs(), maxUri: this.#maxUri, uri, text })
  }

  /** Has the broker keep what `replica` has now. */
  async keep(replica: Replica, uris: readonly string[], shards: readonly string[]): Promise<void> {
    const { topics } = this.#broker
    await Promise.all([
      ...uris.map((uri) => this.#broker.publish(topics.resource(uri), encoder.encode(replica.wordOn(uri)))),
      ...shards.map((shard) =>
        this.#broker.publish(topics.resourceIndex(shard), encoder.encode(replica.wordOnShard(shard))),
      ),
    ])
  }

  /** To one server, one after the other. Whoever gets no answer asks again. */
  async answer(client: string, answers: Iterable<ReplicaAnswer>): Promise<void> {
    try {
      for (const answer of answers)
        await this.#broker.publish(this.#broker.topics.reply(client), encodeAnswer(answer))
    } catch {
      // It asks again.
    }
  }

  /** All that was known, to one server, unless too many are told at the same time. */
  async tellAll(client: string, answers: Iterable<ReplicaAnswer>): Promise<void> {
    if (this.#telling >= maxTelling) return
    this.#telling += 1
    await this.answer(client, answers)
    this.#telling -= 1
  }
}
