import type { BrokerClient, BrokerLog } from "@serialcast/broker-client"
import {
  type DeviceState,
  decodeReply,
  deviceStateSchema,
  formatAddress,
  type GatewayStatus,
  gatewayStatusSchema,
  parseJsonPayload,
} from "@serialcast/contract"

/** Every device that any gateway of this broker has announced, with its newest state. */
export interface DeviceDirectory {
  /** Sorted by address. */
  list(): readonly DeviceState[]
  get(address: string): DeviceState | undefined
  /**
   * Calls `listener` after each change, also when a device was withdrawn (`get` answers none then). Answers the function
   * that ends it.
   */
  onChange(listener: (state: DeviceState) => void): () => void
}

/** Far beyond any installation: they bound what a broken or hostile publisher can make every service remember. */
const maxGateways = 1_024
const maxDevices = 8_192

const agentAway = {
  code: "device_offline",
  message: "The agent of its gateway is not connected to the broker.",
}
const brokerAway = { code: "broker_offline", message: "The broker cannot be reached." }

interface PresentAgent {
  /** Another one after a restart. */
  readonly instance: string
  /** Names of the devices that it has now. */
  readonly devices: ReadonlySet<string>
}

/** Follows the retained states, and asks for them after each connect: some brokers give none for a wildcard filter. */
export class Directory implements DeviceDirectory {
  readonly #broker: BrokerClient
  readonly #log: BrokerLog
  readonly #states = new Map<string, DeviceState>()
  /** The agents that are there, by their gateways. */
  readonly #present = new Map<string, PresentAgent>()
  readonly #listeners = new Set<(state: DeviceState) => void>()
  readonly #agentListeners = new Set<(gateway: string) => void>()
  readonly #ends: (() => void)[] = []
  #hasWarned = false

  constructor(broker: BrokerClient, log: BrokerLog) {
    this.#broker = broker
    this.#log = log
  }

  async start(): Promise<void> {
    const { topics } = this.#broker
    this.#ends.push(
      this.#broker.onReply((payload) => this.#receiveAnswer(payload)),
      await this.#broker.subscribe(topics.filter("status"), ({ topic, payload }) => {
        const parsed = topics.parse(topic)
        const status = parseJsonPayload(gatewayStatusSchema, payload)
        if (parsed?.kind === "status" && status !== undefined) this.#setStatus(parsed.gateway, status)
      }),
      await this.#broker.subscribe(topics.filter("state"), ({ topic, payload }) => {
        const parsed = topics.parse(topic)
        if (parsed?.kind !== "state") return
        if (payload.byteLength === 0) return this.#withdraw(formatAddress(parsed))
        const state = parseJsonPayload(deviceStateSchema, payload)
        if (state === undefined) return
        if (parsed.gateway === state.gateway && parsed.device === state.device) this.#setState(state)
      }),
      this.#broker.onDisconnected(() => this.#forgetAgents()),
      this.#broker.onConnected(() => void this.#discover()),
    )
  }

  stop(): void {
    for (const end of this.#ends.splice(0)) end()
  }

  list(): readonly DeviceState[] {
    return [...this.#states.keys()].sort().flatMap((address) => this.get(address) ?? [])
  }

  get(address: string): DeviceState | undefined {
    const state = this.#states.get(address)
    if (state === undefined) return undefined
    const present = this.#present.get(state.gateway)
    // What the agent said last does not hold without it.
    if (present === undefined) {
      return { ...state, online: false, problem: this.#broker.isConnected ? agentAway : brokerAway }
    }
    // A broker keeps the states of devices that were taken out of the configuration while nobody could withdraw them.
    return present.devices.has(state.device) ? state : undefined
  }

  /** Whether an agent is there that keeps this device's streams: of a port that it only shows, it keeps none. */
  hasAgent(address: string): boolean {
    const state = this.#states.get(address)
    return state !== undefined && state.configured && this.#present.has(state.gateway)
  }

  onChange(listener: (state: DeviceState) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Calls `listener` when the agent of a gateway comes, or comes back. */
  onAgent(listener: (gateway: string) => void): void {
    this.#agentListeners.add(listener)
  }

  async #discover(): Promise<void> {
    const payload = new TextEncoder().encode(JSON.stringify({ client: this.#broker.clientId }))
    // Lost with its connection; the next connect asks again.
    await this.#broker.publish(this.#broker.topics.discover(), payload).catch(() => {})
  }

  #receiveAnswer(payload: Uint8Array): void {
    const answer = decodeReply(payload)
    if (answer === undefined || !("reply" in answer)) return
    const { gateway, status, state } = answer.reply
    const parsedStatus = gatewayStatusSchema.safeParse(status).data
    if (typeof gateway === "string" && parsedStatus !== undefined) this.#setStatus(gateway, parsedStatus)
    const parsedState = deviceStateSchema.safeParse(state).data
    if (parsedState !== undefined) this.#setState(parsedState)
  }

  #setState(state: DeviceState): void {
    if (!this.#hasRoom(this.#states, formatAddress(state), maxDevices)) return
    this.#states.set(formatAddress(state), state)
    this.#tell(state)
  }

  #withdraw(address: string): void {
    const state = this.#states.get(address)
    this.#states.delete(address)
    if (state !== undefined) this.#tell(state)
  }

  /** Without the broker nobody knows which agents are there; it tells again at the next connect. */
  #forgetAgents(): void {
    this.#present.clear()
    for (const state of this.#states.values()) this.#tell(state)
  }

  #setStatus(gateway: string, status: GatewayStatus): void {
    const isNew = status.online && this.#present.get(gateway)?.instance !== status.instance
    if (!status.online) this.#present.delete(gateway)
    else if (this.#hasRoom(this.#present, gateway, maxGateways))
      this.#present.set(gateway, { instance: status.instance, devices: new Set(status.devices) })
    for (const state of this.#states.values()) if (state.gateway === gateway) this.#tell(state)
    if (isNew) for (const listener of this.#agentListeners) listener(gateway)
  }

  /** Whether `key` is known or may be remembered; what is beyond the limit is ignored, and said once. */
  #hasRoom(known: ReadonlyMap<string, unknown>, key: string, limit: number): boolean {
    const hasRoom = known.has(key) || known.size < limit
    if (!hasRoom && !this.#hasWarned) {
      this.#log.warn(
        { maxGateways, maxDevices, ignored: key },
        "ignoring gateways or devices beyond the limit",
      )
      this.#hasWarned = true
    }
    return hasRoom
  }

  /** Tells what is visible of a device now; of one that is not, what was known last. */
  #tell(state: DeviceState): void {
    const visible = this.get(formatAddress(state)) ?? state
    for (const listener of this.#listeners) listener(visible)
  }
}
