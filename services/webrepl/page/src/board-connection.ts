import { concatBytes, createDeferred, type Deferred } from "@serialcast/primitives"
import { type Folder, parseFolder } from "./folder.ts"

/** The part of a browser's WebSocket that is used here. */
export type SocketLike = Pick<
  WebSocket,
  "addEventListener" | "binaryType" | "bufferedAmount" | "close" | "readyState" | "send"
>

/** `WebSocket.OPEN` */
const open = 1

export interface BoardHandlers {
  /** What the board says, and what is said of it. */
  readonly onText: (text: string) => void
  /** `reason`: the other side's; may be empty. */
  readonly onClosed: (reason: string) => void
}

/** How much of a file a frame carries on its way to the board: what the official page sends. */
const pieceBytes = 1_024
/** Bytes that may wait in the browser while a file is sent: enough to keep the connection busy. */
const maxBufferedBytes = 256 * 1_024
const pollMs = 20
const longestName = 64
/** Frames that may come before they are waited for: two do, the end of a file and its response. */
const mostUnread = 16

const types = { put: 1, get: 2, version: 3, list: 4, remove: 5 } as const
/** Of a request for the version: boards do not look at it, this service answers it with a byte of its own. */
const extensionsFlag = 0x01
/** In that byte: there are list and remove. */
const foldersBit = 0x01

export interface AboutBoard {
  /** Like `1.29.0`; null when it is not known. */
  readonly version: string | null
  /** `list` and `remove` may be asked; a board itself would take them for something else. */
  readonly hasFolders: boolean
}

/** One connection to a board's WebREPL, from the side of a client. One transfer at a time. */
export class BoardConnection {
  readonly #socket: SocketLike
  readonly #binaries: Uint8Array[] = []
  #wanted: Deferred<Uint8Array> | null = null
  #isClosed = false
  /** Why this side has ended it; empty: it has not. */
  #complaint = ""

  constructor(socket: SocketLike, { onText, onClosed }: BoardHandlers) {
    this.#socket = socket
    socket.binaryType = "arraybuffer"
    socket.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
      if (typeof data === "string") onText(data)
      else if (data instanceof ArrayBuffer) this.#take(new Uint8Array(data))
    })
    socket.addEventListener("close", ({ reason }: CloseEvent) => {
      this.#isClosed = true
      this.#wanted?.reject(closed())
      onClosed(this.#complaint || reason)
    })
  }

  /** Line ends become CR, as a keyboard sends them. What is typed before the connection is there, or behind its end, goes nowhere. */
  type(text: string): void {
    if (this.#socket.readyState === open)
      this.#socket.send(text.replaceAll("\r\n", "\r").replaceAll("\n", "\r"))
  }

  async about(): Promise<AboutBoard> {
    this.#send(request(types.version, { flags: extensionsFlag }))
    const [major = 0, minor = 0, micro = 0, extensions = 0] = await this.#next()
    const version = `${major}.${minor}.${micro}`
    return {
      version: version === "0.0.0" ? null : version,
      hasFolders: (extensions & foldersBit) !== 0,
    }
  }

  /** Throws a sentence. `onProgress`: how many bytes have left; all of them while the board still writes. */
  async put(name: string, file: Uint8Array, onProgress: (bytes: number) => void): Promise<void> {
    this.#send(request(types.put, { name, size: file.byteLength }))
    await this.#expectOk("The board does not take the file")
    for (let at = 0; at < file.byteLength; at += pieceBytes) {
      while (this.#socket.bufferedAmount > maxBufferedBytes && !this.#isClosed) await pause()
      this.#send(file.subarray(at, at + pieceBytes))
      onProgress(Math.max(0, at - this.#socket.bufferedAmount))
    }
    onProgress(file.byteLength)
    await this.#expectOk("The file did not arrive whole")
  }

  /** Throws a sentence. `onProgress`: how many bytes have come. */
  async get(name: string, onProgress: (bytes: number) => void): Promise<Uint8Array> {
    this.#send(request(types.get, { name }))
    return await this.#receive("The board does not give the file", onProgress)
  }

  /** The folder at `path`; empty: the current one. Throws a sentence. */
  async list(path: string): Promise<Folder> {
    this.#send(request(types.list, { name: path }))
    return parseFolder(await this.#receive("The board does not tell what is in the folder"))
  }

  /** A file, or an empty folder. Throws a sentence. */
  async remove(path: string): Promise<void> {
    this.#send(request(types.remove, { name: path }))
    await this.#expectOk(`The board does not remove ${path}`)
  }

  close(): void {
    this.#socket.close()
  }

  async #receive(problem: string, onProgress?: (bytes: number) => void): Promise<Uint8Array> {
    await this.#expectOk(problem)
    const chunks: Uint8Array[] = []
    let bytes = 0
    for (;;) {
      this.#send(Uint8Array.of(0))
      const chunk = (await this.#next()).subarray(2)
      if (chunk.byteLength === 0) break
      chunks.push(chunk)
      bytes += chunk.byteLength
      onProgress?.(bytes)
    }
    await this.#expectOk(problem)
    return concatBytes(chunks)
  }

  #send(bytes: Uint8Array): void {
    if (this.#isClosed) throw closed()
    // Made by this page on plain buffers, never on shared ones.
    this.#socket.send(bytes as Uint8Array<ArrayBuffer>)
  }

  #take(bytes: Uint8Array): void {
    const wanted = this.#wanted
    this.#wanted = null
    if (wanted !== null) wanted.resolve(bytes)
    else if (this.#binaries.length < mostUnread) this.#binaries.push(bytes)
    else {
      this.#complaint = "the other side sent what nobody had asked for"
      this.#socket.close()
    }
  }

  async #next(): Promise<Uint8Array> {
    const [next] = this.#binaries.splice(0, 1)
    if (next !== undefined) return next
    if (this.#isClosed) throw closed()
    this.#wanted = createDeferred<Uint8Array>()
    return await this.#wanted.promise
  }

  async #expectOk(problem: string): Promise<void> {
    const [, , low = 0, high = 0] = await this.#next()
    const code = (high << 8) | low
    // Why, the terminal says.
    if (code !== 0) throw new Error(`${problem} (code ${code}); the terminal says why.`)
  }
}

interface RequestFields {
  readonly flags?: number
  readonly name?: string
  readonly size?: number
}

/** The 82 bytes of a request. Throws a sentence for a name that has no room in it. */
function request(type: number, { flags = 0, name = "", size = 0 }: RequestFields): Uint8Array {
  const encoded = new TextEncoder().encode(name)
  if (encoded.byteLength > longestName)
    throw new RangeError(
      `The name has ${encoded.byteLength} bytes with its folder; at most ${longestName} have room.`,
    )
  const bytes = new Uint8Array(82)
  const view = new DataView(bytes.buffer)
  bytes.set([0x57, 0x41, type, flags])
  view.setUint32(12, size, true)
  view.setUint16(16, encoded.byteLength, true)
  bytes.set(encoded, 18)
  return bytes
}

function closed(): Error {
  return new Error("The connection was closed.")
}

/** A browser tells nobody when its buffer has room. */
function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, pollMs))
}
