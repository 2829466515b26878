/** A file on its way to a board. */
export interface FileToPut {
  readonly size: number
  /** Pulled at the board's pace. Throws when the client is gone: the file that was there has to stay as it was. */
  readonly bytes: AsyncIterable<Uint8Array>
}

/** A file on its way from a board. */
export interface FileToGet {
  readonly size: number
  /** Read from the board as it is pulled. */
  readonly bytes: AsyncIterable<Uint8Array>
}

/** The files of a board, as the file channel needs them. Throws an `AppError`, whose sentence the user gets to read. */
export interface BoardFiles {
  /**
   * Asks for the first bytes only when the board is ready for them: what is wrong before that can be told instead of the
   * transfer. Resolves when the file is there whole.
   */
  put(path: string, file: FileToPut): Promise<void>
  get(path: string): Promise<FileToGet>
}

/** A board whose files can be had. */
export interface FileBoard {
  /**
   * Has the board for `work` alone: nobody else writes to it meanwhile, its program is interrupted, and it is at its prompt
   * afterwards. `about`: what it is for, in the words of whoever is refused meanwhile. `signal`: the client is gone.
   */
  useFiles<T>(about: string, work: (files: BoardFiles) => Promise<T>, signal: AbortSignal): Promise<T>
}
