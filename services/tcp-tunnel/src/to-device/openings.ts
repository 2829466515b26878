/*
 * What bytes are meant for that come in now.
 *
 *   state     what happens                                  what it does
 *   -------   -------------------------------------------   -----------------------------------------------------------
 *   -         begins with a device that is online           → open: bytes are for the opening that is there
 *   -         begins with one that is not, or not known     → closed: bytes are for none
 *   any       the broker is away                            nothing: nobody knows then whether it is unplugged
 *   any       the device is offline, or not known           → closed; a new opening goes on becoming old
 *   any       it is online, in another opening              → new: the opening is there, and bytes are still for none
 *   new       `staleMs` have passed, and what came in       → open
 *             meanwhile was read
 *   closed    it is online, in the opening as before        → open, or new when that is so still
 *   new,      it is online, in the opening as before        nothing
 *   open
 */
import { type DeviceState, formatAddress } from "@serialcast/contract"
import type { DeviceClient } from "@serialcast/device-stream"
import type { Clock, Timer } from "@serialcast/primitives"

/** Bytes that a client sent before it could know of a replug may come until then, in milliseconds. */
const staleMs = 50

/** Names one opening of a port. */
export type Opening = string

/**
 * Follows the openings of a device's port, and tells which one bytes that come in now are meant for. Just after a replug that
 * is none: whoever sends cannot see the replug, and nothing that was meant for the device before it may reach the one that
 * has started anew.
 */
export class Openings implements Disposable {
  readonly #address: string
  readonly #devices: DeviceClient
  readonly #clock: Clock
  readonly #forget: () => void
  /** The newest one; null: none was seen yet. */
  #newest: Opening | null = null
  #isOpen = false
  /** Runs just after a replug. */
  #stale: Timer | null = null

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
  get forBytes(): Opening | null {
    return this.#stale === null ? this.present : null
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
    if (state === undefined || !state.online) return
    const opening = openingOf(state)
    if (opening === this.#newest) return
    this.#newest = opening
    this.#endStale()
    const stale = this.#clock.startTimer(staleMs, () => {
      // A timer that is late fires before what came in meanwhile is read.
      setImmediate(() => {
        if (this.#stale === stale) this.#endStale()
      })
    })
    this.#stale = stale
  }

  #endStale(): void {
    this.#stale?.cancel()
    this.#stale = null
  }
}

/** Openings are counted in each epoch. */
function openingOf({ epoch, open }: DeviceState): Opening {
  return `${epoch}/${open}`
}
