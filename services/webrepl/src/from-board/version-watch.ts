import { toAppError } from "@serialcast/contract"
import type { DeviceClient } from "@serialcast/device-stream"
import { type Logger, untilKnown } from "@serialcast/service-kit"
import type { Version } from "../file-channel/file-server.ts"
import { FirmwareBanner } from "./firmware-banner.ts"

/** How much of what the board has said before is looked through, in bytes. */
const lookBackBytes = 64 * 1024

export interface VersionWatchOptions {
  /** `<gateway>/<device>` */
  readonly address: string
  readonly devices: DeviceClient
  readonly log: Logger
  readonly signal: AbortSignal
}

/** Knows a board's firmware from what it says by itself: asking would interrupt its program, and clients ask each time. */
export class VersionWatch {
  readonly #banner = new FirmwareBanner()

  constructor(options: VersionWatchOptions) {
    void this.#follow(options)
  }

  /** null: it has not said. */
  get version(): Version | null {
    return this.#banner.version
  }

  async #follow({ address, devices, log, signal }: VersionWatchOptions): Promise<void> {
    try {
      await untilKnown(devices, address, signal)
      if (signal.aborted) return
      const from = { kind: "last", bytes: lookBackBytes } as const
      for await (const event of devices.device(address).read({ from, signal }))
        if (event.kind === "bytes") this.#banner.push(event.bytes)
    } catch (error) {
      // Clients are told 0.0.0, which they only show.
      log.warn({ device: address, err: toAppError(error) }, "the version of the firmware cannot be followed")
    }
  }
}
