import { type DeviceState, formatAddress } from "@serialcast/contract"
import type { DeviceClient } from "@serialcast/device-stream"
import type { Clock, Timer } from "@serialcast/primitives"

/** Bytes that were sent before a replug come until there is this much silence, in milliseconds. */
const quietMs = 50
/** A client that never pauses is taken to know of the replug after this, in milliseconds. */
const maxStaleMs = 1_000

/** Names one opening of a port. */
export type Opening = string

/**
 * Follows the openings of a device's port, and tells which one bytes that come in now are meant for. After a replug that
 * is none, until what was sent before it is through: whoever sends cannot see the replug, and nothing of it may reach
 * the device that has started anew.
 */
export class Openings implements Disposable {
  readonly #address: string
  readonly #devices: DeviceClient
  readonly #clock: Clock
  readonly #forget: () => void
  /** The newest one; null: none was seen yet. */
  #newest: Opening | null = null
  #isOpen = false
  #isStale = false
  #quiet: Timer | null = null
  #staleEnd: Timer | null = null

  constructor({ address, devices, clock }: { address: string; devices: DeviceClient; clock: Clock }) {
    this.#address = address
    this.#devices = devices
    this.#clock = clock
    const state = devices.devices.get(address)
    if (state !== undefined) this.#isOpen = state.online
    if (state?.online) this.#newest = openingOf(state)
    this.#forget = devices.devices.onChange((changed) => {
      if (formatAddress(changed) === address) this.#look()
    })
  }

  /** The opening that is there now, whoever may write to it yet; null while the device is unplugged. */
  get present(): Opening | null {
    return this.#isOpen ? this.#newest : null
  }

  /** The opening that bytes are meant for that came in just now; null: none. */
  forBytes(): Opening | null {
    if (!this.#isStale) return this.present
    this.#awaitQuiet()
    return null
  }

  [Symbol.dispose](): void {
    this.#forget()
    this.#endStale()
  }

  #look(): void {
    const state = this.#devices.devices.get(this.#address)
    // Nobody knows then whether it is unplugged; writes wait for the broker's return.
    if (state?.problem?.code === "broker_offline") return
    this.#isOpen = state?.online === true
    if (state === undefined || !state.online) return this.#endStale()
    const opening = openingOf(state)
    if (opening === this.#newest) return
    this.#newest = opening
    this.#endStale()
    this.#isStale = true
    this.#staleEnd = this.#clock.startTimer(maxStaleMs, () => this.#endStale())
    this.#awaitQuiet()
  }

  #awaitQuiet(): void {
    this.#quiet?.cancel()
    const quiet = this.#clock.startTimer(quietMs, () => {
      // A timer that is late fires before what came in meanwhile is read.
      setImmediate(() => {
        if (this.#quiet === quiet) this.#endStale()
      })
    })
    this.#quiet = quiet
  }

  #endStale(): void {
    this.#isStale = false
    this.#quiet?.cancel()
    this.#quiet = null
    this.#staleEnd?.cancel()
    this.#staleEnd = null
  }
}

/** Openings are counted in each epoch. */
function openingOf({ epoch, open }: DeviceState): Opening {
  return `${epoch}/${open}`
}
