import { formatAddress } from "@serialcast/contract"
import type { DeviceClient } from "@serialcast/device-stream"
import type { Clock, Timer } from "@serialcast/primitives"
import type { Logger } from "../log/logger.ts"
import { tellUnknownDevice, unknownDevice } from "./unknown-device.ts"

/** Readers find the end of the opening in their stream, behind its last bytes; this is for those who do not, in milliseconds. */
const awayMs = 2_000

export interface DeviceAwayOptions {
  /** `<gateway>/<device>` */
  readonly address: string
  readonly devices: DeviceClient
  readonly clock: Clock
  readonly log: Logger
  /** The state of the device is another one. */
  readonly onChange: () => void
  /** It has been away for 2 s. */
  readonly onAway: () => void
}

/** Follows whether a device can be used, and says why when it cannot. */
export class DeviceAway implements Disposable {
  readonly #options: DeviceAwayOptions
  readonly #forget: () => void
  readonly #unknown: Disposable
  #timer: Timer | null = null

  constructor(options: DeviceAwayOptions) {
    this.#options = options
    this.#unknown = tellUnknownDevice(options)
    this.#forget = options.devices.devices.onChange((state) => {
      if (formatAddress(state) === options.address) this.#look()
    })
  }

  /** What keeps the device from being used now; null: nothing. */
  get problem(): { readonly code: string; readonly message: string } | null {
    const { devices, address } = this.#options
    const state = devices.devices.get(address)
    if (state === undefined) {
      const { code, message } = unknownDevice(address, devices)
      return { code, message }
    }
    if (state.online) return null
    return state.problem ?? { code: "device_offline", message: `The port of ${address} is not open.` }
  }

  /** It is known to be away: the gateway or its agent says so. */
  get isAway(): boolean {
    const { problem } = this
    return problem !== null && problem.code !== "broker_offline" && problem.code !== "unknown_device"
  }

  [Symbol.dispose](): void {
    this.#forget()
    this.#unknown[Symbol.dispose]()
    this.#timer?.cancel()
  }

  #look(): void {
    const { clock, onChange, onAway } = this.#options
    onChange()
    if (!this.isAway) {
      this.#timer?.cancel()
      this.#timer = null
    } else if (this.#timer === null) this.#timer = clock.startTimer(awayMs, onAway)
  }
}
