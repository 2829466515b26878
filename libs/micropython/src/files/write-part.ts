/** Writes the rest of a file on the board. */
export interface PartWriter {
  begin(): Promise<void>
  /** Any number of bytes; waits until the board may take them. Throws what it refused some for; nothing else is called then. */
  write(data: Uint8Array): Promise<void>
  /** Behind the last ones: all are written, and the file is closed. */
  end(): Promise<void>
  /** Closes the file before its end. */
  giveUp(): Promise<void>
}

export interface WriteOptions {
  readonly path: string
  /** Where the file is gone on with, and how many bytes come. */
  readonly offset: number
  readonly leftBytes: number
  readonly softwareFlowControl: boolean
  readonly hasBase64: boolean
  /** What errors begin with. */
  readonly what: string
  /** So many bytes more are in the file. */
  readonly onWritten: (bytes: number) => void
}
