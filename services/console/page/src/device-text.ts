import type { DeviceState, PortSettings } from "@serialcast/contract"

const parityLetters = { none: "N", even: "E", odd: "O", mark: "M", space: "S" } as const
const flowControlNames = { none: "", hardware: "RTS/CTS", software: "XON/XOFF" } as const

/** `115200 8N1`, with the flow control behind when there is any. */
export function describeSettings({
  baudRate,
  dataBits,
  parity,
  stopBits,
  flowControl,
}: PortSettings): string {
  return `${baudRate} ${dataBits}${parityLetters[parity]}${stopBits} ${flowControlNames[flowControl]}`.trim()
}

/** What the hardware calls itself; empty when it does not. */
export function describeIdentity({ product, manufacturer }: DeviceState["identity"]): string {
  return product ?? manufacturer ?? ""
}

/** A port that was found and that nobody asked to open is neither in order nor in trouble. */
export function describePresence({ online, configured }: DeviceState): "Online" | "Offline" | "Found" {
  if (online) return "Online"
  return configured ? "Offline" : "Found"
}

/** Why the device cannot be used now, or not as it was asked for; empty while it can. */
export function describeProblem({ online, problem, settings: { unsupported = [] } }: DeviceState): string {
  if (!online) return problem?.message ?? ""
  return unsupported.length === 0 ? "" : `The port did not take ${unsupported.join(", ")}.`
}
