import { toAppError } from "@serialcast/contract"
import type { DeviceClient } from "@serialcast/device-stream"
import { type Logger, untilKnown } from "@serialcast/service-kit"
import type { FirmwareVersion } from "./firmware-version.ts"

/** How much of what the board has said before is looked through, in bytes. */
const lookBackBytes = 64 * 1024

export interface VersionWatchOptions {
  /** `<gateway>/<device>` */
  readonly address: string
  readonly devices: DeviceClient
  readonly log: Logger
  /** Ends the watch. */
  readonly signal: AbortSignal
}

/** Learns a board's version from what it says by itself: asking would interrupt its program, and clients ask each time. */
export async function watchVersion(
  firmware: FirmwareVersion,
  { address, devices, log, signal }: VersionWatchOptions,
): Promise<void> {
  try {
    await untilKnown(devices, address, signal)
    if (signal.aborted) return
    const from = { kind: "last", bytes: lookBackBytes } as const
    for await (const event of devices.device(address).read({ from, signal }))
      if (event.kind === "bytes") firmware.hear(event.bytes)
  } catch (error) {
    // Clients are told 0.0.0, which they only show.
    log.warn({ device: address, err: toAppError(error) }, "the version of the firmware cannot be followed")
  }
}
