/** Writes the rest of a file on the board, in pieces. */
export interface PartWriter {
  /** The most of a piece; all but the last have so many bytes. */
  readonly pieceBytes: number
  begin(): Promise<void>
  /** Waits until the board may take it. Throws what it refused an earlier piece for; nothing else is called then. */
  write(data: Uint8Array): Promise<void>
  /** Behind the last piece: all of them are written, and the file is closed. */
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
