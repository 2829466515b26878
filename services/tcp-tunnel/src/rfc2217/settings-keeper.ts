import type { PortSettings } from "@serialcast/contract"

/** Remembers what one client changed in the port's settings, to tell what brings them back. */
export class SettingsKeeper {
  #before: Partial<PortSettings> = {}
  #set: Partial<PortSettings> = {}

  /** The client changed `change` of a port that had `before`. */
  changed(change: Partial<PortSettings>, before: PortSettings): void {
    for (const key of keysOf(change)) this.#before = { [key]: before[key], ...this.#before }
    this.#set = { ...this.#set, ...change }
  }

  /** What is to be set now so that the port has what it had before; what somebody else changed since is left alone. */
  restoring(now: PortSettings): Partial<PortSettings> {
    const mine = keysOf(this.#set).filter(
      (key) => now[key] === this.#set[key] && now[key] !== this.#before[key],
    )
    return Object.fromEntries(mine.map((key) => [key, this.#before[key]]))
  }
}

function keysOf(settings: Partial<PortSettings>): (keyof PortSettings)[] {
  // They are the keys of the type; TypeScript types Object.keys as string[].
  return Object.keys(settings) as (keyof PortSettings)[]
}
