import type { ModemLines, PortSettings, SettingsInForce } from "@serialcast/contract"

/** Outgoing lines to change; absent ones stay. All that are given change together, as far as the system can. */
export interface LineChange {
  readonly dtr?: boolean | undefined
  readonly rts?: boolean | undefined
  readonly break?: boolean | undefined
}

/** How a port ended: `reason` is a sentence for people. */
export interface PortClosed {
  readonly reason: string
}

/** What a driver tells about an open port. Called synchronously, in the order in which things happened. */
export interface PortListener {
  /** `bytes` belong to the listener from now on. */
  onBytes(bytes: Uint8Array): void
  onClosed(closed: PortClosed): void
  /** The driver noticed that bytes were lost before it could read them. */
  onOverrun(): void
}

/** One open of a port. After it closed it is thrown away: nothing that was given to it can reach a later open. */
export interface OpenPort {
  /** As they are since it was opened or configured last, and which of those that were asked for then it did not take. */
  readonly settings: SettingsInForce
  /**
   * Resolves with how many of `bytes` the driver took: all, or fewer when `signal` is aborted, or the port purged, while it
   * waits for room. Rejects when the port closed before. One at a time.
   */
  write(bytes: Uint8Array, signal?: AbortSignal): Promise<number>
  /** Resolves when everything written left the kernel's buffer (on USB adapters: reached the adapter). */
  drain(): Promise<void>
  /**
   * Changes the settings of the open port, as far as it takes them: `settings` tells. What the device sends meanwhile is
   * kept. Rejects when nothing was changed.
   */
  configure(settings: PortSettings): Promise<void>
  /** Throws `no_modem_lines` when the port has none that can be set. */
  signal(change: LineChange): Promise<void>
  /** All lines that the port can tell, the outgoing ones as they were set; null when it has none. */
  readLines(): Promise<ModemLines | null>
  /** Drops what was written and not sent yet; a write that waits resolves. Nothing that the device sent is lost. */
  purge(): Promise<void>
  /** Resolves when the port is closed; `onClosed` was called by then. */
  close(): Promise<void>
}

/** A kind of port, chosen by its URL. */
export interface PortDriver {
  /**
   * Opens with these settings, as far as the port takes them: one that it cannot carry is no reason not to open it. Throws
   * `open_failed` with a sentence that names the cause and the fix.
   */
  open(settings: PortSettings, listener: PortListener): Promise<OpenPort>
}
