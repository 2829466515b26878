import type { StreamEvent } from "@serialcast/device-stream"

export type BytesEvent = Extract<StreamEvent, { kind: "bytes" }>

/** Makes what goes to standard output of a stream's events, one after the other. */
export interface Format {
  /** Nothing to show is empty. */
  show(event: StreamEvent): string | Uint8Array
  /** What was held back for more to come. */
  end(): string
  /** The next output starts a line. */
  readonly isAtLineStart: boolean
}

export interface FormatOptions {
  /** Begins lines with the time at which their first byte was read. */
  readonly hasTimes: boolean
}
