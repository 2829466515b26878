import { deviceAt } from "../config.ts"
import type { Devices } from "../device/devices.ts"
import type { PortTrackerEvents } from "./port-tracker.ts"

export interface AdoptPortsOptions {
  readonly policy: "show" | "open"
  readonly devices: Pick<Devices, "open" | "show" | "hide" | "remove">
  /** Devices came or went. */
  readonly onChange: () => void
}

// One that was opened keeps its bytes while it is unplugged. A device that shows up with an ever new serial number must
// not fill memory and disk: further ones are only shown.
const maxOpened = 64

/** Makes devices of ports that were found. One that was opened stays when it goes, and waits for its return. */
export function adoptPorts({ policy, devices, onChange }: AdoptPortsOptions): PortTrackerEvents {
  const opened = new Set<string>()
  return {
    onFound(name, { path, identity }) {
      const device = { config: deviceAt(path), identity }
      if (opened.has(name)) return
      if (policy === "show" || opened.size === maxOpened) {
        devices.show(name, device)
        onChange()
      } else {
        opened.add(name)
        void devices.open(name, device).then(onChange)
      }
    },
    onLost(name) {
      if (devices.hide(name)) onChange()
    },
    onConfigured(name) {
      opened.delete(name)
      devices.remove(name)
      onChange()
    },
  }
}
