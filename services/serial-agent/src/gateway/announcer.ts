import type { BrokerClient, Message } from "@serialcast/broker-client"
import type { DeviceState, GatewayStatus } from "@serialcast/contract"
import type { Clock } from "@serialcast/primitives"
import type { Logger } from "@serialcast/service-kit"
import { DiscoveryAnswers } from "./discovery-answers.ts"
import { encodeJson } from "./json.ts"
import { RetainedWords } from "./retained-words.ts"

export interface AnnouncerDeps {
  readonly broker: Pick<BrokerClient, "isConnected" | "onConnected" | "publish" | "topics">
  readonly gateway: string
  readonly clock: Clock
  readonly log: Logger
  readonly status: () => GatewayStatus
  readonly states: () => readonly DeviceState[]
  /** Of one device; undefined: there is none of this name. */
  readonly state: (device: string) => DeviceState | undefined
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
   * Takes what came on the status topic of this gateway, or on the state or availability topic of one of its devices, and says
   * its own again within a second when that is not it: somebody cleared it, a late will denied it, another agent came over it.
   */
  hear(message: Message): void
  /** Answers a `_discover` message: brokers without retained messages for wildcards need it. */
  answer(message: Message): void
}

export function createAnnouncer(deps: AnnouncerDeps): Announcer {
  const { broker, gateway, status, states, state: find } = deps
  const { topics } = broker
  const words = new RetainedWords(deps)
  const answers = () => [{ gateway, status: status() }, ...states().map((state) => ({ gateway, state }))]
  const discovery = new DiscoveryAnswers({ ...deps, answers })
  const encodeStatus = () => encodeJson(status())
  const statusTopic = topics.status(gateway)
  const wordsOf = (kind: "state" | "availability", device: string) => ({
    destination: topics.device(kind, { gateway, device }),
    newest: () => {
      const state = find(device)
      if (state === undefined) return undefined
      return kind === "state" ? encodeJson(state) : new TextEncoder().encode(availabilityOf(state))
    },
  })
  const announceStatus = () => void words.say(statusTopic, encodeStatus)
  const say = (kind: "state" | "availability", device: string) => {
    const { destination, newest } = wordsOf(kind, device)
    void words.say(destination, newest)
  }
  /** By device. The state is told each second while bytes flow, and this seldom. */
  const said = new Map<string, boolean | undefined>()
  const announceDevice = (device: string) => {
    say("state", device)
    const online = find(device)?.online
    if (said.has(device) && said.get(device) === online) return
    // Without a connection nothing is said: the next one begins anew.
    if (broker.isConnected) said.set(device, online)
    say("availability", device)
    if (online === undefined) said.delete(device)
  }
  const announceAll = () => {
    said.clear()
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
      if (parsed?.kind === "status") return void words.hear(message, statusTopic, encodeStatus)
      if (parsed?.kind !== "state" && parsed?.kind !== "availability") return
      const { destination, newest } = wordsOf(parsed.kind, parsed.device)
      // A state of a device that is not here, or not yet, is taken for none: the status does not name it.
      if (find(parsed.device) !== undefined) void words.hear(message, destination, newest)
    },
    answer: (message) => discovery.answer(message),
  }
}

/** As it stands on its topic. */
export function availabilityOf({ online }: Pick<DeviceState, "online">): "online" | "offline" {
  return online ? "online" : "offline"
}
