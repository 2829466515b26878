export interface FileStat {
  readonly kind: "file" | "directory"
  /** Of a file, in bytes; 0 for a directory. */
  readonly size: number
}

export interface FileEntry extends FileStat {
  readonly name: string
}

/** `sha256` where the board has it; `crc32`; or `sum24`: 24 bits, for each byte times 31 plus the byte, from 1. */
export interface FileHash {
  readonly algorithm: "sha256" | "crc32" | "sum24"
  readonly hex: string
}

export interface FileSource {
  readonly size: number
  /** Exactly `size` bytes, in pieces of any size. */
  readonly bytes: AsyncIterable<Uint8Array>
}

export interface PutOptions {
  /** How many bytes the board has, beginning with those that it had of an earlier try. */
  readonly onProgress?: (doneBytes: number) => void
  readonly signal?: AbortSignal
}

export interface PutResult {
  readonly size: number
  /** How many of them the board had of an earlier try. */
  readonly resumedBytes: number
  /** What was compared after the board read the file again. */
  readonly hash: FileHash
}

export interface GetOptions {
  readonly signal?: AbortSignal
}

export interface RemoteFile {
  /** What the board said before the first byte. */
  readonly size: number
  /**
   * The file, once: the board reads as far as this is read, and 2 KiB ahead. The board is taken until it has ended, or was
   * left (`return`); then nothing else may be asked. Throws `transfer_failed` at its end when the bytes are not the file's.
   */
  readonly bytes: AsyncIterable<Uint8Array>
}

/**
 * The files of a board. Paths are those of the board, relative ones to its current folder. All throw `no_such_file`,
 * `is_directory`, `no_space`, `board_memory`, `board_error`, `bad_request` for a name that no board can have, and what
 * `exec` throws.
 */
export interface BoardFiles {
  stat(path: string): Promise<FileStat>
  /** Where relative paths begin, as an absolute one. */
  currentFolder(): Promise<string>
  /** By name; with `isAll` also what puts that were cut have left, for the next one to go on with. */
  list(path: string, options?: { readonly isAll?: boolean }): Promise<readonly FileEntry[]>
  /** The file is the old one or the new one whole, whatever happens on the way. */
  put(path: string, source: FileSource, options?: PutOptions): Promise<PutResult>
  get(path: string, options?: GetOptions): Promise<RemoteFile>
  /** A file, or a folder in which nothing is listed; with `recursive` all that is in it. */
  remove(path: string, options?: { readonly recursive?: boolean }): Promise<void>
  /** Throws `file_exists` when there is something at `to`, unless `overwrite` and both are files. */
  rename(from: string, to: string, options?: { readonly overwrite?: boolean }): Promise<void>
  /** With `parents` those above too, and none of them is an error when it is there. */
  mkdir(path: string, options?: { readonly parents?: boolean }): Promise<void>
  hash(path: string): Promise<FileHash>
}
