import type { BrokerClient, Message } from "@serialcast/broker-client"
import { encodeReply, parseDiscovery } from "@serialcast/contract"
import type { Logger } from "@serialcast/service-kit"

// Far more than services that connect at the same time. Each is told everything, which costs thousands of bytes.
const maxAsking = 256

export interface DiscoveryAnswersDeps {
  readonly broker: Pick<BrokerClient, "publish" | "topics">
  readonly log: Logger
  /** Bodies of the answers, now. */
  readonly answers: () => Iterable<object>
}

/** Tells everything to whoever asks on `_discover`: one after the other, at the pace of the connection, once a round. */
export class DiscoveryAnswers {
  readonly #deps: DiscoveryAnswersDeps
  readonly #asking = new Set<string>()

  constructor(deps: DiscoveryAnswersDeps) {
    this.#deps = deps
  }

  answer({ payload }: Message): void {
    const client = parseDiscovery(payload)
    if (client === undefined || this.#asking.has(client) || this.#asking.size >= maxAsking) return
    this.#asking.add(client)
    if (this.#asking.size === 1) void this.#answerAll()
  }

  async #answerAll(): Promise<void> {
    const { broker, log, answers } = this.#deps
    for (const client of this.#asking) {
      try {
        for (const body of answers())
          await broker.publish(
            broker.topics.reply(client),
            encodeReply({ id: "_discover" }, { ...body }, "cbor"),
          )
      } catch (error) {
        // Services ask again at their next connect.
        log.debug({ client, reason: String(error) }, "answer not sent")
      }
      this.#asking.delete(client)
    }
  }
}
