import { AppError } from "@serialcast/contract"
import type { FileEntry } from "@serialcast/micropython"
import { unlessAborted } from "@serialcast/primitives"
import type { BoardFiles, FileToGet, FileToPut, UseBoard, UsedBoard } from "../file-channel/board-files.ts"

/** A board in memory: files by name, as a test put them there; its folders are what stands before a slash. */
export class MemoryBoard implements BoardFiles {
  version: string | null = "1.29.3"
  found: UsedBoard["found"] = "prompt"

  readonly files = new Map<string, Uint8Array>()
  /** What the board was taken for, in order. */
  readonly uses: string[] = []
  /** A transfer fails here, once: before it begins, or when so many bytes of the file have moved. */
  failsAt: { readonly bytes: number; readonly error: AppError } | null = null
  /** Somebody else has it until then. */
  busy: Promise<void> = Promise.resolve()
  /** How much the board takes and gives at a time. */
  pieceBytes = 1_000

  readonly use: UseBoard = async ({ about, signal }, work) => {
    await unlessAborted(this.busy, signal, () =>
      Promise.reject(new AppError("cancelled", "Nobody waits for the board any more.")),
    )
    this.uses.push(about)
    if (this.failsAt?.bytes === -1) this.#fail()
    return await work({ version: this.version, found: this.found, files: this })
  }

  async put(path: string, { size, bytes }: FileToPut): Promise<void> {
    if (this.failsAt?.bytes === 0) this.#fail()
    const whole = new Uint8Array(size)
    let at = 0
    for await (const piece of bytes) {
      whole.set(piece, at)
      at += piece.byteLength
      if (this.failsAt !== null && at >= this.failsAt.bytes) this.#fail()
    }
    if (at !== size) throw new AppError("internal", `${at} of ${size} bytes came`)
    this.files.set(path, whole)
  }

  async get(path: string): Promise<FileToGet> {
    if (this.failsAt?.bytes === 0) this.#fail()
    const bytes = this.files.get(path)
    if (bytes === undefined) throw new AppError("bad_request", `There is no file ${path} on the board.`)
    return { size: bytes.byteLength, bytes: this.#give(bytes) }
  }

  async currentFolder(): Promise<string> {
    return "/"
  }

  async list(path: string): Promise<readonly FileEntry[]> {
    if (this.failsAt?.bytes === 0) this.#fail()
    const before = path === "/" ? "" : `${path.slice(1)}/`
    const entries = new Map<string, FileEntry>()
    for (const [file, { byteLength }] of this.files) {
      if (!file.startsWith(before)) continue
      const [name = "", ...below] = file.slice(before.length).split("/")
      const isFile = below.length === 0
      entries.set(name, { name, kind: isFile ? "file" : "directory", size: isFile ? byteLength : 0 })
    }
    if (entries.size === 0 && path !== "/")
      throw new AppError("no_such_file", `There is no folder ${path} on the board.`)
    return [...entries.values()]
  }

  async remove(path: string): Promise<void> {
    if (!this.files.delete(path)) throw new AppError("no_such_file", `There is no file ${path} on the board.`)
  }

  async *#give(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.byteLength; at += this.pieceBytes) {
      if (this.failsAt !== null && at >= this.failsAt.bytes) this.#fail()
      yield bytes.subarray(at, at + this.pieceBytes)
    }
  }

  #fail(): never {
    const error = this.failsAt?.error ?? new AppError("internal", "It failed.")
    this.failsAt = null
    throw error
  }
}
