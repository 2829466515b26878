import { ByteQueue } from "@serialcast/primitives"
import { type FileRequest, parseFileRequest, requestBytes } from "./file-request.ts"

/** What stands next in the binary frames of a client; null: more has to come for it. */
export type FileInput =
  | { readonly kind: "request"; readonly request: FileRequest }
  /** Of the file that is put. */
  | { readonly kind: "content"; readonly bytes: Uint8Array }
  /** One more piece of the file that is got, or of the list of a folder, is wanted. */
  | { readonly kind: "wanted" }
  | null

/**
 * The payload of all binary frames after the log-in as one stream of bytes, in which borders of frames mean nothing: a request
 * of 82 bytes; behind one to put, its content; behind one to get, or to list, a byte for each piece, until `endGet` says that there is no
 * more. What stands behind is the next request, however it was pipelined.
 */
export class FileStream {
  readonly #queue = new ByteQueue()
  readonly #request = new Uint8Array(requestBytes)
  #requestLength = 0
  #contentLeft = 0
  #isGetting = false

  /** Bytes that wait. */
  get heldBytes(): number {
    return this.#queue.heldBytes
  }

  /** Bytes of the file that is put that have not been pulled. */
  get contentLeft(): number {
    return this.#contentLeft
  }

  push(bytes: Uint8Array): void {
    this.#queue.push(bytes)
  }

  pull(): FileInput {
    if (this.#queue.byteLength === 0) return null
    if (this.#contentLeft > 0) return this.#pullContent()
    if (this.#isGetting) {
      this.#queue.take(1)
      return { kind: "wanted" }
    }
    return this.#pullRequest()
  }

  /** The file that is got, or the list, has ended: what follows is a request. */
  endGet(): void {
    this.#isGetting = false
  }

  /** The file that is put was refused before any of it was asked for: what follows is a request. */
  refusePut(): void {
    this.#contentLeft = 0
  }

  #pullContent(): FileInput {
    const bytes = this.#queue.take(this.#contentLeft)
    this.#contentLeft -= bytes.byteLength
    return { kind: "content", bytes }
  }

  #pullRequest(): FileInput {
    while (this.#requestLength < requestBytes && this.#queue.byteLength > 0) {
      const piece = this.#queue.take(requestBytes - this.#requestLength)
      this.#request.set(piece, this.#requestLength)
      this.#requestLength += piece.byteLength
    }
    if (this.#requestLength < requestBytes) return null
    this.#requestLength = 0
    const request = parseFileRequest(this.#request)
    if (request.kind === "put") this.#contentLeft = request.size
    if (request.kind === "get" || request.kind === "list") this.#isGetting = true
    return { kind: "request", request }
  }
}
