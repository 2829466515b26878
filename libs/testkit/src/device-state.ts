import type { DeviceState } from "@serialcast/contract"

/** The state of an open device `local/uno` with nothing in its journal, changed by `changes`. */
export function createDeviceState(changes: Partial<DeviceState> = {}): DeviceState {
  return {
    gateway: "local",
    device: "uno",
    online: true,
    open: 1,
    configured: true,
    port: "sim:echo",
    identity: {},
    settings: { baudRate: 115_200, dataBits: 8, parity: "none", stopBits: 1, flowControl: "none" },
    lines: null,
    heldSince: null,
    framing: null,
    epoch: "00000000000000aa",
    rx: { oldest: 0, head: 0 },
    tx: { oldest: 0, head: 0 },
    lease: null,
    journal: { bytes: 0, problem: null },
    problem: null,
    since: "2030-01-01T00:00:00Z",
    ...changes,
  }
}
