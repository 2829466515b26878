import { type DeviceState, formatAddress, type GatewayStatus } from "@serialcast/contract"

/** Far beyond any installation: they bound what a broken or hostile publisher can make every service remember. */
export const maxGateways = 1_024
export const maxDevices = 8_192

interface PresentAgent {
  /** Another one after a restart. */
  readonly instance: string
  /** Names of the devices that it has now. */
  readonly devices: ReadonlySet<string>
}

interface KnownGateway {
  /** null while its agent is away. */
  agent: PresentAgent | null
  readonly states: Map<string, DeviceState>
  /** Devices whose state was taken off the broker while the agent named them: it is believed when it says so. */
  readonly withdrawn: Set<string>
}

/**
 * What gateways have said of themselves and of their devices. Whoever makes up gateways or devices pushes out no real ones:
 * beyond the limits, a gateway that never showed a device makes room for another, and a device of the gateway with the most
 * of them for one of a smaller gateway.
 */
export class KnownGateways {
  readonly #gateways = new Map<string, KnownGateway>()
  #devices = 0

  state(gateway: string, device: string): DeviceState | undefined {
    return this.#gateways.get(gateway)?.states.get(device)
  }

  /** null while it is away. */
  agent(gateway: string): PresentAgent | null {
    return this.#gateways.get(gateway)?.agent ?? null
  }

  /** Of all devices that were heard of, visible or not. */
  *states(): Iterable<DeviceState> {
    for (const { states } of this.#gateways.values()) yield* states.values()
  }

  *statesOf(gateway: string): Iterable<DeviceState> {
    yield* this.#gateways.get(gateway)?.states.values() ?? []
  }

  /** Whether there was room for it. */
  setState(state: DeviceState): boolean {
    const gateway = this.#enter(state.gateway)
    if (gateway === null) return false
    if (!gateway.states.has(state.device)) {
      if (this.#devices >= maxDevices && !this.#makeRoomFor(gateway)) return false
      this.#devices++
    }
    gateway.states.set(state.device, state)
    gateway.withdrawn.delete(state.device)
    return true
  }

  /** Whether there was room for it. */
  setStatus(name: string, status: GatewayStatus): boolean {
    if (!status.online) {
      const known = this.#gateways.get(name)
      if (known !== undefined) known.agent = null
      return true
    }
    const gateway = this.#enter(name)
    if (gateway === null) return false
    gateway.agent = { instance: status.instance, devices: new Set(status.devices) }
    for (const device of gateway.withdrawn)
      if (!gateway.agent.devices.has(device)) this.#drop(gateway, device)
    return true
  }

  /**
   * A state was taken off the broker. What the agent goes on naming, it did not take off: somebody else did, and it says it
   * again. Answers the state that is gone.
   */
  withdraw(name: string, device: string): DeviceState | undefined {
    const gateway = this.#gateways.get(name)
    const state = gateway?.states.get(device)
    if (gateway === undefined || state === undefined) return undefined
    if (gateway.agent?.devices.has(device)) {
      gateway.withdrawn.add(device)
      return undefined
    }
    this.#drop(gateway, device)
    return state
  }

  /** Nobody knows any more which agents are there. */
  forgetAgents(): void {
    for (const [name, gateway] of this.#gateways) {
      gateway.agent = null
      if (gateway.states.size === 0) this.#gateways.delete(name)
    }
  }

  #enter(name: string): KnownGateway | null {
    const known = this.#gateways.get(name)
    if (known !== undefined) return known
    if (this.#gateways.size >= maxGateways) {
      const [empty] = [...this.#gateways].find(([, { states }]) => states.size === 0) ?? []
      if (empty === undefined) return null
      this.#gateways.delete(empty)
    }
    const gateway: KnownGateway = { agent: null, states: new Map(), withdrawn: new Set() }
    this.#gateways.set(name, gateway)
    return gateway
  }

  #makeRoomFor(gateway: KnownGateway): boolean {
    let largest = gateway
    for (const other of this.#gateways.values()) if (other.states.size > largest.states.size) largest = other
    if (largest.states.size <= gateway.states.size + 1) return false
    // The newest: of a gateway that goes on making up devices, the real ones came first.
    const newest = [...largest.states.keys()].at(-1)
    if (newest !== undefined) this.#drop(largest, newest)
    return true
  }

  #drop(gateway: KnownGateway, device: string): void {
    gateway.withdrawn.delete(device)
    if (gateway.states.delete(device)) this.#devices--
  }
}

/** `states` by address. */
export function sortedByAddress(states: Iterable<DeviceState>): DeviceState[] {
  const keyed = [...states].map((state) => ({ key: formatAddress(state), state }))
  return keyed.sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ state }) => state)
}
