import type { BrokerClient, BrokerLog, Message } from "@serialcast/broker-client"
import {
  AppError,
  type DeviceAddress,
  decodeStreamMessage,
  formatAddress,
  type StreamName,
  StreamParcel,
} from "@serialcast/contract"
import { type Clock, createWakeup, type Wakeup } from "@serialcast/primitives"
import type { Histories } from "./histories.ts"
import type { History } from "./history.ts"
import { LiveWindow } from "./live-window.ts"
import { createPacedWake } from "./paced-wake.ts"

/**
 * What stays of each stream in this process for readers that are a little behind, 45 s at 115,200 baud; the journal has the
 * rest. With 64 devices whose streams were both read full, beside the agent's rings of 1 MiB, the process takes 290 MiB: 64
 * here, 128 there, and 95 that it takes with 64 silent devices (measured).
 */
const windowBytes = 512 * 1024

export interface LiveStream {
  readonly window: LiveWindow
  /** Wakes after live messages of the stream, of many readers all together, and after each reconnect. */
  readonly news: Wakeup
}

/** What all readers of one device in this process share: the live windows and the pages of its journal. */
export interface Feed {
  /** Resolves when live messages come in; rejects with `unauthorized` when the broker refuses them. */
  readonly ready: Promise<void>
  readonly live: Readonly<Record<StreamName, LiveStream>>
  readonly history: History
  /** Wakes when the device's agent is there again. */
  readonly agentBack: Wakeup
}

export interface FeedsDeps {
  readonly broker: BrokerClient
  readonly histories: Histories
  readonly clock: Clock
  readonly log: BrokerLog
}

interface UsedFeed {
  readonly feed: Feed
  readonly gateway: string
  /** Resolves, when it is known, with the function that ends the subscription. */
  readonly ending: Promise<() => void>
  readers: number
}

/** The feeds in use. A device's `stream` topic is subscribed while somebody reads it. */
export class Feeds {
  readonly #deps: FeedsDeps
  readonly #inUse = new Map<string, UsedFeed>()

  constructor(deps: FeedsDeps) {
    this.#deps = deps
  }

  /** The feed of a device; give it back with `release`. */
  acquire(address: DeviceAddress): Feed {
    const key = formatAddress(address)
    const used = this.#inUse.get(key) ?? this.#open(address)
    this.#inUse.set(key, used)
    used.readers++
    return used.feed
  }

  release(address: DeviceAddress): void {
    const key = formatAddress(address)
    const used = this.#inUse.get(key)
    if (used === undefined || --used.readers > 0) return
    void used.ending.then((end) => {
      // Until its end is known, a feed may be wanted again; one topic is never subscribed twice.
      if (used.readers > 0 || this.#inUse.get(key) !== used) return
      this.#inUse.delete(key)
      this.#deps.histories.release(address)
      end()
    })
  }

  /** The agent of a gateway is there again: readers that wait for it need not wait longer. */
  tellAgentBack(gateway: string): void {
    for (const { feed, gateway: own } of this.#inUse.values()) if (own === gateway) feed.agentBack.wake()
  }

  #open(address: DeviceAddress): UsedFeed {
    const { broker, histories } = this.#deps
    const live = { rx: createLiveStream(), tx: createLiveStream() }
    const subscription = broker.subscribe(
      broker.topics.device("stream", address),
      this.#createReceiver(address, live),
    )
    const forget = broker.onConnected(() => {
      for (const { news } of Object.values(live)) news.wake()
    })
    const ending = subscription.then(
      (unsubscribe) => () => {
        unsubscribe()
        forget()
      },
      // Refused: every reader is told through `ready`.
      () => forget,
    )
    const ready = subscription.then(() => undefined)
    // Whoever asks for a page is told; that nobody has asked yet is no fault.
    ready.catch(() => {})
    const feed = { ready, live, history: histories.acquire(address), agentBack: createWakeup() }
    return { feed, gateway: address.gateway, ending, readers: 0 }
  }

  #createReceiver(address: DeviceAddress, live: Feed["live"]): (message: Message) => void {
    const { clock, log } = this.#deps
    const device = formatAddress(address)
    const readers = () => this.#inUse.get(device)?.readers ?? 0
    const wake = {
      rx: createPacedWake({ wakeup: live.rx.news, clock, readers }),
      tx: createPacedWake({ wakeup: live.tx.news, clock, readers }),
    }
    let hasWarned = false
    return (received) => {
      try {
        const { parcel } = received
        const message =
          parcel instanceof StreamParcel ? parcel.message : decodeStreamMessage(received.payload)
        live[message.stream].window.receive(message)
        wake[message.stream]()
      } catch (error) {
        // Anyone may publish there; what is not of the contract is no news, and said once.
        if (!(error instanceof AppError)) throw error
        const fields = { device, reason: error.message }
        if (!hasWarned) log.warn(fields, "ignoring malformed stream messages")
        hasWarned = true
      }
    }
  }
}

function createLiveStream(): LiveStream {
  return { window: new LiveWindow(windowBytes), news: createWakeup() }
}
