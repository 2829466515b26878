import type { Boards } from "@serialcast/boards"
import { AppError } from "@serialcast/contract"
import type { DeviceClient } from "@serialcast/device-stream"
import type { Clock } from "@serialcast/primitives"
import type { UseBoard } from "../file-channel/board-files.ts"
import { onOneLine } from "./on-one-line.ts"

export interface LendingDeps {
  readonly devices: DeviceClient
  readonly boards: Boards
  readonly clock: Clock
}

/** Marks have room for so much of what a board is taken for, in bytes of UTF-8. */
const maxPurposeBytes = 128

/** Has the board at `<gateway>/<device>` under its lease, for one transfer at a time. */
export function lendBoard(address: string, { devices, boards, clock }: LendingDeps): UseBoard {
  return async ({ about, signal }, work) => {
    const state = devices.devices.get(address)
    if (state === undefined) throw new AppError("unknown_device", `There is no device ${address}.`)
    const device = devices.device(address)
    const options = { device, state, by: "webrepl", purpose: cut(onOneLine(about)), clock, signal }
    return await boards.use(address, options, work)
  }
}

/** The official page makes names of up to 64 characters, each of which may be two bytes. */
function cut(text: string): string {
  const bytes = new Uint8Array(maxPurposeBytes)
  const { written } = new TextEncoder().encodeInto(text, bytes)
  return new TextDecoder().decode(bytes.subarray(0, written))
}
