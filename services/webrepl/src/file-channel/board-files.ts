import type { FileEntry, Found } from "@serialcast/micropython"

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
  put(path: string, file: FileToPut): Promise<unknown>
  get(path: string): Promise<FileToGet>
  /** Where relative paths begin, as an absolute one. */
  currentFolder(): Promise<string>
  list(path: string): Promise<readonly FileEntry[]>
  /** A file, or an empty folder. */
  remove(path: string): Promise<void>
}

/** A board at its REPL, while somebody has it. */
export interface UsedBoard {
  /** Of its firmware, such as `1.29.0`; null when it does not tell. */
  readonly version: string | null
  /** What it was doing: `program` was interrupted. */
  readonly found: Found
  readonly files: BoardFiles
}

export interface BoardUse {
  /** What for, in the words of whoever is refused meanwhile. */
  readonly about: string
  /** Gives it up: who waits for the board waits no longer, and what is asked of it ends. */
  readonly signal: AbortSignal
}

/**
 * Has a board for `work` alone: nobody else writes to it meanwhile, its program is interrupted, and it is at its prompt
 * afterwards. Throws an `AppError`.
 */
export type UseBoard = <T>(use: BoardUse, work: (board: UsedBoard) => Promise<T>) => Promise<T>
