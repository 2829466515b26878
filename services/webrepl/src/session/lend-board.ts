import type { Boards } from "@serialcast/boards"
import { AppError } from "@serialcast/contract"
import type { DeviceClient } from "@serialcast/device-stream"
import type { Clock } from "@serialcast/primitives"
import type { UseBoard } from "../file-channel/board-files.ts"

export interface LendingDeps {
  readonly devices: DeviceClient
  readonly boards: Boards
  readonly clock: Clock
  /** Ends what goes on. */
  readonly signal: AbortSignal
}

/** Has the board at `<gateway>/<device>` under its lease, for one transfer at a time. */
export function lendBoard(address: string, { devices, boards, clock, signal }: LendingDeps): UseBoard {
  return async (about, work) => {
    const state = devices.devices.get(address)
    if (state === undefined) throw new AppError("unknown_device", `There is no device ${address}.`)
    const device = devices.device(address)
    const options = { device, state, by: "webrepl", purpose: about, clock, signal }
    return await boards.use(address, options, work)
  }
}
