import type { BrokerClient, BrokerLog } from "@serialcast/broker-client"
import {
  type DeviceAddress,
  type DeviceState,
  decodeReply,
  deviceStateSchema,
  formatAddress,
  type GatewayStatus,
  gatewayStatusSchema,
  parseJsonPayload,
} from "@serialcast/contract"
import { KnownGateways, maxDevices, maxGateways, sortedByAddress } from "./known-gateways.ts"

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

const agentAway = {
  code: "device_offline",
  message: "The agent of its gateway is not connected to the broker.",
}
const brokerAway = { code: "broker_offline", message: "The broker cannot be reached." }

/** Follows the retained states, and asks for them after each connect: some brokers give none for a wildcard filter. */
export class Directory implements DeviceDirectory {
  readonly #broker: BrokerClient
  readonly #log: BrokerLog
  readonly #known = new KnownGateways()
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
        if (payload.byteLength === 0) return this.#withdraw(parsed)
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
    return sortedByAddress(this.#known.states()).flatMap((state) => this.#visible(state) ?? [])
  }

  get(address: string): DeviceState | undefined {
    const state = this.#find(address)
    return state === undefined ? undefined : this.#visible(state)
  }

  #find(address: string): DeviceState | undefined {
    const [gateway = "", device = "", ...more] = address.split("/")
    return more.length > 0 ? undefined : this.#known.state(gateway, device)
  }

  #visible(state: DeviceState): DeviceState | undefined {
    const present = this.#known.agent(state.gateway)
    // What the agent said last does not hold without it.
    if (present === null) {
      return { ...state, online: false, problem: this.#broker.isConnected ? agentAway : brokerAway }
    }
    // A broker keeps the states of devices that were taken out of the configuration while nobody could withdraw them.
    return present.devices.has(state.device) ? state : undefined
  }

  /** Whether an agent is there that keeps this device's streams: of a port that it only shows, it keeps none. */
  hasAgent(address: string): boolean {
    const state = this.#find(address)
    return state !== undefined && state.configured && this.#known.agent(state.gateway) !== null
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
    if (this.#known.setState(state)) this.#tell(state)
    else this.#warn(formatAddress(state))
  }

  #withdraw({ gateway, device }: DeviceAddress): void {
    const state = this.#known.withdraw(gateway, device)
    if (state !== undefined) this.#tell(state)
  }

  /** Without the broker nobody knows which agents are there; it tells again at the next connect. */
  #forgetAgents(): void {
    this.#known.forgetAgents()
    for (const state of this.#known.states()) this.#tell(state)
  }

  #setStatus(gateway: string, status: GatewayStatus): void {
    const isNew = status.online && this.#known.agent(gateway)?.instance !== status.instance
    const states = [...this.#known.statesOf(gateway)]
    if (!this.#known.setStatus(gateway, status)) return this.#warn(gateway)
    for (const state of states) this.#tell(state)
    if (isNew) for (const listener of this.#agentListeners) listener(gateway)
  }

  /** Said once. */
  #warn(ignored: string): void {
    if (this.#hasWarned) return
    this.#hasWarned = true
    this.#log.warn({ maxGateways, maxDevices, ignored }, "ignoring gateways or devices beyond the limit")
  }

  /** Tells what is visible of a device now; of one that is not, what was known last. */
  #tell(state: DeviceState): void {
    const visible = this.#visible(state) ?? state
    for (const listener of this.#listeners) listener(visible)
  }
}
