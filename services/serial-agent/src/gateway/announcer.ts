import type { BrokerClient, Message } from "@serialcast/broker-client"
import {
  AppError,
  type Destination,
  type DeviceState,
  encodeReply,
  type GatewayStatus,
  parseDiscovery,
} from "@serialcast/contract"
import { type Clock, delay } from "@serialcast/primitives"
import type { Logger } from "@serialcast/service-kit"
import { encodeJson } from "./json.ts"

const retryMs = 100
const nothing = new Uint8Array(0)

export interface AnnouncerDeps {
  readonly broker: Pick<BrokerClient, "isConnected" | "onConnected" | "publish" | "topics">
  readonly gateway: string
  readonly clock: Clock
  readonly log: Logger
  readonly status: () => GatewayStatus
  readonly states: () => readonly DeviceState[]
}

/**
 * Keeps the gateway's status and its devices' states on the broker, and tells them to whoever asks. Says nothing while
 * there is no connection, or none yet on which this gateway's name was claimed: each connect announces everything.
 */
export interface Announcer {
  /** The status and every state. */
  announceAll(): void
  announceStatus(): void
  /** Publishes the device's state, or takes it off the broker when there is no such device any more. */
  announceDevice(device: string): void
  /** Answers a `_discover` message: brokers without retained messages for wildcards need it. */
  answer(message: Message): void
}

export function createAnnouncer(deps: AnnouncerDeps): Announcer {
  const { broker, gateway, clock, log, status, states } = deps
  const { topics } = broker
  /** Topics whose publication waits for room on the connection: the newest is read when its time comes. */
  const waiting = new Set<string>()
  const announceStatus = () => void announce(topics.status(gateway), status)
  const announceDevice = (device: string) =>
    void announce(topics.device("state", { gateway, device }), () =>
      states().find((state) => state.device === device),
    )
  const announceAll = () => {
    announceStatus()
    for (const { device } of states()) announceDevice(device)
  }
  broker.onConnected(announceAll)
  return {
    announceAll,
    announceStatus,
    announceDevice,
    answer({ payload }) {
      const client = parseDiscovery(payload)
      if (client === undefined) return
      const answer = (body: object) => {
        const reply = encodeReply({ id: "_discover" }, { gateway, ...body }, "cbor")
        broker.publish(topics.reply(client), reply).catch((error: unknown) => {
          log.debug({ reason: String(error) }, "answer not sent")
        })
      }
      answer({ status: status() })
      for (const state of states()) answer({ state })
    },
  }

  async function announce(destination: Destination, newest: () => object | undefined): Promise<void> {
    const { topic } = destination
    if (waiting.has(topic)) return
    while (broker.isConnected) {
      const value = newest()
      try {
        // Nothing, retained, takes what was retained off the broker (MQTT-3.3.1-10).
        return await broker.publish(destination, value === undefined ? nothing : encodeJson(value))
      } catch (error) {
        if (!(error instanceof AppError)) throw error
        log.debug({ topic, reason: error.message }, "announcement not sent")
      }
      waiting.add(topic)
      await delay(clock, retryMs)
      waiting.delete(topic)
    }
    // Lost with its connection: the next connect announces everything.
  }
}
