import type { BrokerClient, Message } from "@serialcast/broker-client"
import type { DeviceState, GatewayStatus } from "@serialcast/contract"
import type { Clock } from "@serialcast/primitives"
import type { Logger } from "@serialcast/service-kit"
import { DiscoveryAnswers } from "./discovery-answers.ts"
import { RetainedWords } from "./retained-words.ts"

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
  /**
   * Takes what came on the status topic of this gateway, or on the state topic of one of its devices, and says its own again
   * within a second when that is not it: somebody cleared it, a late will denied it, another agent came over it.
   */
  hear(message: Message): void
  /** Answers a `_discover` message: brokers without retained messages for wildcards need it. */
  answer(message: Message): void
}

export function createAnnouncer(deps: AnnouncerDeps): Announcer {
  const { broker, gateway, status, states } = deps
  const { topics } = broker
  const words = new RetainedWords(deps)
  const answers = () => [{ gateway, status: status() }, ...states().map((state) => ({ gateway, state }))]
  const discovery = new DiscoveryAnswers({ ...deps, answers })
  const stateOf = (device: string) => ({
    destination: topics.device("state", { gateway, device }),
    newest: () => states().find((state) => state.device === device),
  })
  const announceStatus = () => void words.say(topics.status(gateway), status)
  const announceDevice = (device: string) => {
    const { destination, newest } = stateOf(device)
    void words.say(destination, newest)
  }
  const announceAll = () => {
    announceStatus()
    for (const { device } of states()) announceDevice(device)
  }
  broker.onConnected(announceAll)
  return {
    announceAll,
    announceStatus,
    announceDevice,
    hear(message) {
      const parsed = topics.parse(message.topic)
      if (parsed?.kind === "status") return void words.hear(message, topics.status(gateway), status)
      if (parsed?.kind !== "state") return
      const { destination, newest } = stateOf(parsed.device)
      // A state of a device that is not here, or not yet, is taken for none: the status does not name it.
      if (newest() !== undefined) void words.hear(message, destination, newest)
    },
    answer: (message) => discovery.answer(message),
  }
}
