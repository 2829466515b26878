import type { BrokerClient } from "@serialcast/broker-client"
import {
  type DeviceAddress,
  type HistoryPage,
  type HistoryRequest,
  maxChunkBytes,
  parseHistoryPage,
  type StreamName,
} from "@serialcast/contract"
import { callDevice } from "./device-call.ts"

const pageTimeoutMs = 5_000

/** Pages a device's journal. Readers of this process that want the same page at the same time share one request. */
export class History {
  readonly #broker: BrokerClient
  readonly #address: DeviceAddress
  readonly #asked = new Map<string, Promise<HistoryPage>>()

  constructor(broker: BrokerClient, address: DeviceAddress) {
    this.#broker = broker
    this.#address = address
  }

  /** `from` is a start point. Throws `no_reply` when the agent is away, `bad_cursor` when it refuses `from`. */
  page(stream: StreamName, from: string): Promise<HistoryPage> {
    const key = `${stream} ${from}`
    const asked = this.#asked.get(key)
    if (asked !== undefined) return asked
    const page = this.#ask(stream, from).finally(() => this.#asked.delete(key))
    this.#asked.set(key, page)
    return page
  }

  async #ask(stream: StreamName, from: string): Promise<HistoryPage> {
    const id = crypto.randomUUID()
    const request: HistoryRequest = { id, by: this.#broker.clientId, stream, from, maxBytes: maxChunkBytes }
    const call = { broker: this.#broker, verb: "history", address: this.#address, request } as const
    return parseHistoryPage(await callDevice({ ...call, timeoutMs: pageTimeoutMs }))
  }
}
