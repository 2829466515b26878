import type { PortSettings } from "@serialcast/contract"

/** As terminals write it: 115200 8N1. */
export function formatSettings({ baudRate, dataBits, parity, stopBits }: PortSettings): string {
  return `${baudRate} ${dataBits}${parity.charAt(0).toUpperCase()}${stopBits}`
}
