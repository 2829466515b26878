import type { PortSettings, SettingsInForce } from "@serialcast/contract"

/** As terminals write it: 115200 8N1. */
export function formatSettings({ baudRate, dataBits, parity, stopBits }: PortSettings): string {
  return `${baudRate} ${dataBits}${parity.charAt(0).toUpperCase()}${stopBits}`
}

/** Which settings the port did not take, in a sentence; null when it took all. */
export function describeUnsupported({ unsupported = [] }: SettingsInForce): string | null {
  return unsupported.length === 0 ? null : `The port did not take ${unsupported.join(", ")}.`
}
