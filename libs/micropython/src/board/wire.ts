/** Bytes to and from the board, for one conversation. Only this conversation writes meanwhile. */
export interface Wire {
  /** Resolves when they are accepted (not yet sent). Throws when they cannot be sent: offline, the lease lost. */
  write(bytes: Uint8Array): Promise<void>
  /** What came, or null after `waitMs`. Throws when bytes are missing, the device went away, or the wire is closed. */
  read(waitMs: number): Promise<Uint8Array | null>
}
