import type { BrokerClient } from "@serialcast/broker-client"
import {
  type DeviceAddress,
  formatAddress,
  type HistoryRequest,
  parseHistoryPage,
} from "@serialcast/contract"
import { callDevice } from "../device-call.ts"
import { type AskPage, History } from "./history.ts"

const pageTimeoutMs = 5_000

/** The histories in use: what they keep is let go of when nobody reads the device any more. */
export class Histories {
  readonly #broker: BrokerClient
  readonly #inUse = new Map<string, { readonly history: History; users: number }>()

  constructor(broker: BrokerClient) {
    this.#broker = broker
  }

  /** The history of a device; give it back with `release`. */
  acquire(address: DeviceAddress): History {
    const key = formatAddress(address)
    const used = this.#inUse.get(key) ?? { history: new History(pageAsker(this.#broker, address)), users: 0 }
    this.#inUse.set(key, used)
    used.users++
    return used.history
  }

  release(address: DeviceAddress): void {
    const key = formatAddress(address)
    const used = this.#inUse.get(key)
    if (used !== undefined && --used.users === 0) this.#inUse.delete(key)
  }
}

function pageAsker(broker: BrokerClient, address: DeviceAddress): AskPage {
  return async (stream, from, maxBytes) => {
    const request: HistoryRequest = { id: crypto.randomUUID(), by: broker.clientId, stream, from, maxBytes }
    const call = { broker, verb: "history", address, request } as const
    return parseHistoryPage(await callDevice({ ...call, timeoutMs: pageTimeoutMs }))
  }
}
