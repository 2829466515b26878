import type { SimulatedDevice } from "./sim-driver.ts"
import { simEcho } from "./sim-echo.ts"

/** A loopback plug with modem lines, wired as a null modem: DTR to DSR and DCD, RTS to CTS; nobody ever rings. */
export const simModem: SimulatedDevice = {
  ...simEcho,
  drive: ({ dtr, rts }) => ({ cts: rts, dsr: dtr, dcd: dtr, ri: false }),
}
