import type { DeviceState } from "@serialcast/contract"

/** How much is known of a device; what is told of it again is always more. */
const nothing = 0
const found = 1
const failed = 2
const open = 3

// More lines than that are no news to anybody, and names may come from others.
const maxTold = 256

/**
 * What is to be told of a gateway's devices after a list of them was shown: which were found since, why one is not open,
 * and that one is open now, each at most once for a device. Unplugs and replugs are for the log.
 */
export class DeviceNews {
  readonly #gateway: string
  /** By the device's name. */
  readonly #told = new Map<string, number>()

  /** `shown` are the devices in the list. */
  constructor(gateway: string, shown: readonly DeviceState[]) {
    this.#gateway = gateway
    this.take(shown)
  }

  /** Of `devices` as they are now, those to tell of; they are then told. */
  take(devices: readonly DeviceState[]): readonly DeviceState[] {
    return devices.filter((state) => {
      const known = knownOf(state)
      const isNews = state.gateway === this.#gateway && known > (this.#told.get(state.device) ?? nothing)
      const hasRoom = this.#told.size < maxTold || this.#told.has(state.device)
      if (isNews && hasRoom) this.#told.set(state.device, known)
      return isNews && hasRoom
    })
  }
}

function knownOf({ online, configured, problem }: DeviceState): number {
  if (online) return open
  if (!configured) return found
  return problem === null ? nothing : failed
}
