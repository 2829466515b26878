import { deviceAt } from "@serialcast/serial-agent"
import type { DeviceConfig, Rfc2217Tunnel } from "@serialcast/service-kit"
import { eventually } from "@serialcast/testkit"
import { startTestAll, type TestAll } from "../../testing/start-test-all.ts"
import { tunnelDefaults } from "./tunnel-defaults.ts"

/** The wire of simulated devices is as slow as a real one: a megabyte each way takes two seconds at this rate. */
export const fast = 12_000_000

/** An RFC 2217 tunnel of `local/pty` on a free port. For tests. */
export function rfc2217Tunnel(changes: Partial<Rfc2217Tunnel> = {}): Rfc2217Tunnel {
  return {
    type: "rfc2217",
    ...tunnelDefaults,
    control: "exclusive",
    lines: "pass",
    macros: { reset: "D0R1|W0.02|R0", bootloader: "D0R1|W0.02|D1R0|W0.02|D0" },
    restoreSettings: false,
    ...changes,
  }
}

/** Everything with one tunnel of `local/pty`, or of another one of `devices`. */
export function startTunnel(
  changes: Partial<Rfc2217Tunnel> = {},
  devices: Readonly<Record<string, DeviceConfig>> = {},
): Promise<TestAll> {
  return startTestAll({}, { tunnels: [rfc2217Tunnel(changes)], devices })
}

/** With the simulated modem `local/modem`: DTR wired to DSR and DCD, RTS to CTS; it sends back what it gets. */
export function startModem(changes: Partial<Rfc2217Tunnel> = {}): Promise<TestAll> {
  const modem = { ...deviceAt("sim:modem"), baudRate: fast }
  return startTunnel({ device: "local/modem", ...changes }, { modem })
}

/** The state of `local/<device>`. */
export function stateOf({ all }: TestAll, device: string) {
  return all.devices.devices.get(`local/${device}`)
}

/** Resolves when the port of `local/<device>` is open. */
export async function untilOnline(running: TestAll, device: string): Promise<void> {
  await eventually(() => {
    if (stateOf(running, device)?.online !== true) throw new Error(`${device} is not online`)
  })
}
