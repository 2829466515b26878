import { AppError } from "@serialcast/contract"
import type { PortDriver, PortListener } from "@serialcast/ports"
import { placeOf } from "./port-place.ts"

/**
 * Which device of this agent has which port. Of devices whose ports lead to the same place, each would get a part of the
 * bytes: the first one has it, and the others are told so for as long as that is the case.
 */
export class PortClaims {
  /** Ports by device, in the order in which the devices were added. */
  readonly #ports = new Map<string, string>()
  /** Devices by the place (`PortPlace.id`) that they have open. */
  readonly #holders = new Map<string, string>()

  /**
   * `driver` as `device` may use it, who goes before those that are added later. Opening throws `port_conflict` when the
   * port is another device's: paths are resolved each time, because links lead elsewhere after a replug.
   */
  guard(
    driver: PortDriver,
    { device, port }: { readonly device: string; readonly port: string },
  ): PortDriver {
    this.#ports.set(device, port)
    return {
      open: async (settings, listener) => {
        const release = await this.#claim(device, port)
        try {
          return await driver.open(settings, releaseWhenClosed(listener, release))
        } catch (error) {
          release()
          throw error
        }
      },
    }
  }

  /** The device does not open its port any more. */
  forget(device: string): void {
    this.#ports.delete(device)
  }

  /** Answers what gives the port back. */
  async #claim(device: string, port: string): Promise<() => void> {
    const place = await placeOf(port)
    if (place === null) return () => {}
    // Two that open at the same time have no holder yet: their order decides.
    const first = await this.#firstAt(place.id)
    const owner = this.#holders.get(place.id) ?? first ?? device
    if (owner !== device) {
      const message = `The ports of ${owner} and ${device} are both ${place.name}, which is left to ${owner}.`
      throw new AppError("port_conflict", message)
    }
    this.#holders.set(place.id, device)
    return () => {
      if (this.#holders.get(place.id) === device) this.#holders.delete(place.id)
    }
  }

  async #firstAt(id: string): Promise<string | undefined> {
    const places = await Promise.all(
      [...this.#ports].map(async ([device, port]) => [device, await placeOf(port)] as const),
    )
    return places.find(([, other]) => other?.id === id)?.[0]
  }
}

function releaseWhenClosed(listener: PortListener, release: () => void): PortListener {
  return {
    onBytes: (bytes) => listener.onBytes(bytes),
    onOverrun: () => listener.onOverrun(),
    onClosed(closed) {
      release()
      listener.onClosed(closed)
    },
  }
}
