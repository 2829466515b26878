import { AppError, type DeviceState, isName } from "@serialcast/contract"
import { after, type Clock, createWakeup, delay, earliest, msUntil, never } from "@serialcast/primitives"
import type { DeviceClient } from "../device-client.ts"

export interface ArrivalsOptions {
  readonly clock: Clock
  /** Addresses that there must be, so that they are never `unknown`: the configuration names them. */
  readonly named: ReadonlySet<string>
  /** Ends all waiting. */
  readonly signal: AbortSignal
  /** Longest wait of one who asks, in milliseconds. */
  readonly patienceMs?: number
  /** How long agents that start together with this process may take to come, after the broker told what it kept. */
  readonly lateAgentMs?: number
}

// Longer than a broker and an agent on the same box take to start again, shorter than clients and proxies wait.
const defaultPatienceMs = 10_000
// All services of a box start at the same time, and an agent opens its journals and ports first.
const defaultLateAgentMs = 5_000
const askTimeoutMs = 60_000
const askAgainMs = 500

/**
 * Tells an address that does not exist from one that was not announced yet: for a moment after its start a process knows
 * no device at all, and a client that is told "no such device" then may never come back (EventSource does not).
 */
export class Arrivals {
  readonly #client: Pick<DeviceClient, "devices" | "isConnected" | "whenReady">
  readonly #options: ArrivalsOptions
  /** When everybody who starts together with this process has had the time to come. */
  #settledMs = never
  readonly #answered = createWakeup()

  constructor(client: Pick<DeviceClient, "devices" | "isConnected" | "whenReady">, options: ArrivalsOptions) {
    this.#client = client
    this.#options = options
    void this.#settle()
  }

  /**
   * The state of a device: at once when it is known, else as soon as it is. Throws `unknown_device` as soon as it is sure
   * that there is none, else `broker_offline` or `device_offline` when the wait was long enough, and `cancelled` when
   * `signal` is aborted.
   */
  async need(address: string, signal: AbortSignal): Promise<DeviceState> {
    const known = this.#client.devices.get(address)
    if (known !== undefined) return known
    // What is no address never comes.
    if (!isAddress(address)) throw unknownDevice(address)
    const { clock, patienceMs = defaultPatienceMs } = this.#options
    const changed = createWakeup()
    const wake = () => changed.wake()
    const forget = [this.#client.devices.onChange(wake), this.#answered.onWake(wake)]
    const endMs = after(clock.monotonicMs(), patienceMs)
    try {
      for (;;) {
        const state = this.#client.devices.get(address)
        if (state !== undefined) return state
        if (signal.aborted) throw new AppError("cancelled", "Whoever asked does not wait any more.")
        const leftMs = msUntil(clock, earliest(endMs, this.#settledMs))
        if (leftMs <= 0) throw this.#whyNot(address)
        await changed.wait({ signal, timeout: { clock, ms: leftMs } })
      }
    } finally {
      for (const end of forget) end()
    }
  }

  #whyNot(address: string): AppError {
    const { clock, named } = this.#options
    if (msUntil(clock, this.#settledMs) <= 0 && !named.has(address)) return unknownDevice(address)
    if (!this.#client.isConnected) return new AppError("broker_offline", "The broker cannot be reached.")
    return new AppError("device_offline", `The gateway of ${JSON.stringify(address)} has not told of it yet.`)
  }

  async #settle(): Promise<void> {
    const { clock, signal, lateAgentMs = defaultLateAgentMs } = this.#options
    while (!signal.aborted && !(await this.#hasAnswer())) await delay(clock, askAgainMs, signal)
    this.#settledMs = after(clock.monotonicMs(), lateAgentMs)
    this.#answered.wake()
  }

  /** Whether the broker answered; it may not be there yet, and is asked again then. */
  async #hasAnswer(): Promise<boolean> {
    return await this.#client.whenReady(askTimeoutMs).then(
      () => true,
      () => false,
    )
  }
}

function isAddress(text: string): boolean {
  const levels = text.split("/")
  return levels.length === 2 && levels.every(isName)
}

function unknownDevice(address: string): AppError {
  return new AppError("unknown_device", `There is no device ${JSON.stringify(address.slice(0, 200))}.`)
}
