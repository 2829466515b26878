/*
 *   binary frames ─→ FileStream ─→ requests, contents, wishes ─→ board files
 *   binary frames ←─ responses, chunks ←──────────────────────────────┘
 */
import { AppError, toAppError } from "@serialcast/contract"
import {
  ByteQueue,
  type Clock,
  createWakeup,
  type WaitLimits,
  type Wakeup,
  withDeadline,
} from "@serialcast/primitives"
import type { Transfers } from "../session/transfers.ts"
import type { BoardFiles, UseBoard } from "./board-files.ts"
import { responseCodeOf } from "./file-error-codes.ts"
import type { FileRequest } from "./file-request.ts"
import {
  fileChunk,
  fileResponse,
  maxFileChunkBytes,
  maxFolderChunkBytes,
  versionResponse,
} from "./file-responses.ts"
import { type FileInput, FileStream } from "./file-stream.ts"
import { absoluteFolder, encodeFolder } from "./folder-document.ts"

/** What may wait for the board, in bytes; then the client is not read: the page sends a whole file at once. */
const maxHeldBytes = 64 * 1024

/** For so long a client may send and take nothing in the middle of a transfer, in milliseconds: others wait for the board. */
const stallMs = 60_000

export type Version = readonly [major: number, minor: number, micro: number]

/** Where a client looks whether a transfer failed: each of the official ones looks at one place and hangs at the other. */
export type FailurePlace = "first-response" | "final-response"

/** What a request wants of the board's files. */
type FileWork = Extract<FileRequest, { readonly name: string }>

export interface FileServerOptions {
  readonly useBoard: UseBoard
  /** What is known of the firmware without asking the board; null: nothing. */
  readonly version: () => Version | null
  readonly failurePlace: () => FailurePlace
  /** Sends one binary frame; resolves when the client has room for the next. */
  readonly send: (payload: Uint8Array) => Promise<void>
  /** Tells the user, besides the code: the clients show nothing else. */
  readonly tellFailure: (about: string, error: AppError) => void
  /** Tells the user that a program of the board was ended for the transfer. */
  readonly tellInterrupted: () => void
  /** Told when a transfer begins and ends. */
  readonly transfers: Pick<Transfers, "begin" | "end">
  readonly clock: Clock
  /** The client is gone. */
  readonly signal: AbortSignal
}

/** Serves one client's binary frames. */
export class FileServer {
  readonly #options: FileServerOptions
  readonly #stream = new FileStream()
  readonly #came: Wakeup = createWakeup()
  readonly #pulled: Wakeup = createWakeup()
  /** Of the transfer that runs, or of the last one. */
  #outcome = new TransferOutcome()

  constructor(options: FileServerOptions) {
    this.#options = options
  }

  /** Resolves when more may come. */
  async push(bytes: Uint8Array): Promise<void> {
    this.#stream.push(bytes)
    this.#came.wake()
    const { signal } = this.#options
    while (this.#stream.heldBytes > maxHeldBytes && !signal.aborted) await this.#pulled.wait({ signal })
  }

  /** Answers requests until the client is gone. */
  async run(): Promise<void> {
    for (;;) {
      const input = await this.#next()
      if (input === null) return
      // Contents and wishes are pulled where their request is served.
      if (input.kind === "request") await this.#serve(input.request)
    }
  }

  async #serve(request: FileRequest): Promise<void> {
    const { send, version, tellFailure } = this.#options
    switch (request.kind) {
      case "version":
        return await send(versionResponse(version() ?? [0, 0, 0], request.asksExtensions))
      case "unknown": {
        const message = `Expected a request of type 1 to 5; found ${request.type}.`
        const error = new AppError("bad_request", message)
        tellFailure("request", error)
        return await send(fileResponse(responseCodeOf(error.code)))
      }
      default:
        return await this.#transfer(request)
    }
  }

  /** Runs a transfer from its request to its final response, and tells what went wrong as the client can understand it. */
  async #transfer(request: FileWork): Promise<void> {
    const { useBoard, transfers, tellFailure, tellInterrupted, send, signal } = this.#options
    const about = `${request.kind} ${request.name}`.trim()
    const outcome = new TransferOutcome()
    this.#outcome = outcome
    transfers.begin()
    try {
      // Before a program is interrupted for it.
      if (request.kind !== "list") needName(request.name)
      await useBoard({ about, signal }, ({ files, found }) => {
        if (found === "program") tellInterrupted()
        return this.#work(request, files)
      })
    } catch (cause) {
      outcome.error = toAppError(cause)
    } finally {
      transfers.end()
    }
    if (signal.aborted) return
    if (outcome.error === null) return await send(fileResponse(0))
    tellFailure(about, outcome.error)
    await this.#endFailed(request.kind, outcome, responseCodeOf(outcome.error.code))
  }

  async #work(request: FileWork, files: BoardFiles): Promise<void> {
    switch (request.kind) {
      case "put":
        return await this.#put(request, files)
      case "get":
        return await this.#get(request.name, files)
      case "list":
        return await this.#list(request.name, files)
      case "remove":
        return await files.remove(request.name)
    }
  }

  async #put({ name, size }: Extract<FileRequest, { kind: "put" }>, files: BoardFiles): Promise<void> {
    await files.put(name, { size, bytes: this.#contents() })
    // Of an empty file, nothing was asked for.
    await this.#begin()
    if (this.#stream.contentLeft > 0) throw new AppError("internal", "Not all of the file was taken.")
  }

  async *#contents(): AsyncGenerator<Uint8Array> {
    await this.#begin()
    while (this.#stream.contentLeft > 0) {
      const input = await this.#nextInTime()
      if (input?.kind !== "content")
        throw new AppError("cancelled", "The client left before it had sent all of the file.")
      yield input.bytes
    }
  }

  async #get(name: string, files: BoardFiles): Promise<void> {
    const { bytes } = await files.get(name)
    await this.#give(chunksOf(bytes, maxFileChunkBytes))
  }

  async #list(name: string, files: BoardFiles): Promise<void> {
    const path = absoluteFolder(name.startsWith("/") ? "" : await files.currentFolder(), name)
    const document = encodeFolder(path, await files.list(path))
    await this.#give(chunksOf([document], maxFolderChunkBytes))
  }

  /** What a get or a list is answered with, up to its final response. */
  async #give(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    await this.#begin()
    for await (const chunk of chunks) {
      await this.#untilWanted()
      await this.#sendInTime(fileChunk(chunk))
    }
    await this.#untilWanted()
    this.#outcome.hasEnded = true
    this.#stream.endGet()
    await this.#sendInTime(fileChunk(none))
  }

  /** Says, once, that the transfer begins. */
  async #begin(): Promise<void> {
    if (this.#outcome.hasBegun) return
    this.#outcome.hasBegun = true
    await this.#sendInTime(fileResponse(0))
  }

  async #untilWanted(): Promise<void> {
    const input = await this.#nextInTime()
    if (input?.kind !== "wanted")
      throw new AppError("cancelled", "The client left before it had got all of the file.")
  }

  /** Behind a failure: brings the client to where it looks for the code, in step. */
  async #endFailed(kind: FileWork["kind"], outcome: TransferOutcome, code: number): Promise<void> {
    const { failurePlace, send } = this.#options
    if (kind === "remove") return await send(fileResponse(code))
    if (!outcome.hasBegun && failurePlace() === "first-response") {
      if (kind === "put") this.#stream.refusePut()
      else this.#stream.endGet()
      return await send(fileResponse(code))
    }
    if (!outcome.hasBegun) await send(fileResponse(0))
    if (kind === "put") {
      while (this.#stream.contentLeft > 0) if ((await this.#next()) === null) return
    } else if (!outcome.hasEnded) {
      if ((await this.#next()) === null) return
      this.#stream.endGet()
      await send(fileChunk(none))
    }
    await send(fileResponse(code))
  }

  /** As `#next`, of a client that has the board. Throws `too_slow`. */
  async #nextInTime(): Promise<FileInput> {
    return await this.#next({ clock: this.#options.clock, ms: stallMs })
  }

  /** As `send`, to a client that has the board. Throws `too_slow`. */
  async #sendInTime(payload: Uint8Array): Promise<void> {
    const { send, clock } = this.#options
    await withDeadline(send(payload), { clock, timeoutMs: stallMs, error: stalled })
  }

  /** null: the client is gone. Throws `too_slow` when nothing comes in time. */
  async #next(timeout?: WaitLimits["timeout"]): Promise<FileInput> {
    const { signal } = this.#options
    while (!signal.aborted) {
      const input = this.#stream.pull()
      this.#pulled.wake()
      if (input !== null) return input
      if ((await this.#came.wait({ signal, timeout })) === "timeout") throw stalled()
    }
    return null
  }
}

const none = new Uint8Array(0)

function stalled(): AppError {
  return new AppError(
    "too_slow",
    `The client sent and took nothing for ${stallMs / 1_000} s; others may have the board.`,
  )
}

/** How far a transfer has come. */
class TransferOutcome {
  /** Its first response was sent. */
  hasBegun = false
  /** The empty chunk was sent. */
  hasEnded = false
  error: AppError | null = null
}

/** Bytes in pieces of `size`, the last one of what is left; none is empty. */
async function* chunksOf(
  bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  size: number,
): AsyncGenerator<Uint8Array> {
  const queue = new ByteQueue()
  for await (const piece of bytes) {
    queue.push(piece)
    while (queue.byteLength >= size) yield takeWhole(queue, size)
  }
  if (queue.byteLength > 0) yield queue.takeAll()
}

/** A queue gives what lies in one block. */
function takeWhole(queue: ByteQueue, size: number): Uint8Array {
  const whole = new Uint8Array(size)
  for (let at = 0; at < size; ) {
    const piece = queue.take(size - at)
    whole.set(piece, at)
    at += piece.byteLength
  }
  return whole
}

function needName(name: string): void {
  if (name === "") throw new AppError("bad_request", "Expected the name of a file; found none.")
}
