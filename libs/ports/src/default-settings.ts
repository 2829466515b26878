import type { PortSettings } from "@serialcast/contract"

/** What a port gets that nobody configured: the setting most boards use. */
export const defaultSettings: PortSettings = {
  baudRate: 115_200,
  dataBits: 8,
  parity: "none",
  stopBits: 1,
  flowControl: "none",
}
