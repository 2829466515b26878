import { Duplex } from "node:stream"
import { AppError } from "@serialcast/contract"
import { ByteQueue, concatBytes } from "@serialcast/primitives"
import { createPacketSizeGuard, type PacketSizeGuard } from "./packet-size-guard.ts"

export interface BoundedConnectionOptions {
  /** Bytes that the client may leave unread before it is cut off. */
  readonly maxHeldBytes: number
  /** Bytes that a packet of the client may have after its fixed header. */
  readonly maxPacketBytes: number
  /** Told by how much `heldBytes` has changed, after each change. */
  readonly onHeldChange?: (changeBytes: number) => void
}

/** What is written at once of what waits, in bytes. */
const mostAtOnce = 64 * 1024

/**
 * What the broker sees of a client's connection:
 *
 *     transport ── size guard ─────────────→ broker    waits while the broker does not read
 *     transport ←─ held bytes, bounded ←──── broker    never waits
 *
 * aedes delivers a message to all its subscribers before it takes the next ones, so one full socket delays everybody
 * (measured: for the whole `drainTimeout`). Here every write is taken at once, and a client that leaves more than
 * `maxHeldBytes` unread is destroyed with `slow_client`. A client's packet that is too large or malformed destroys the
 * connection before it is buffered.
 */
export class BoundedConnection extends Duplex {
  readonly #transport: Duplex
  readonly #maxHeldBytes: number
  readonly #guard: PacketSizeGuard
  readonly #onHeldChange: ((changeBytes: number) => void) | undefined
  readonly #waiting = new ByteQueue()
  /** Bytes handed to the transport that it has not passed on yet; one write at a time. */
  #writingBytes = 0
  /** The `heldBytes` that `onHeldChange` knows of. */
  #reportedBytes = 0
  /** Ends the transport once everything held is gone. */
  #end: (() => void) | undefined

  constructor(transport: Duplex, options: BoundedConnectionOptions) {
    // This object takes every write; with a low mark `write` would answer false all the same.
    super({ writableHighWaterMark: Number.MAX_SAFE_INTEGER })
    this.#transport = transport
    this.#maxHeldBytes = options.maxHeldBytes
    this.#guard = createPacketSizeGuard(options.maxPacketBytes)
    this.#onHeldChange = options.onHeldChange
    transport.on("data", (bytes: Uint8Array) => this.#receive(bytes))
    transport.once("end", () => this.push(null))
    transport.once("close", () => {
      // After an orderly end the broker still reads what came before it, and closes then.
      if (!transport.readableEnded) this.destroy()
    })
    transport.on("error", (error) => this.destroy(error))
  }

  /** Bytes for the client that its transport has not taken. */
  get heldBytes(): number {
    return this.destroyed ? 0 : this.#waiting.byteLength + this.#writingBytes
  }

  override _read(): void {
    this.#transport.resume()
  }

  override _write(bytes: Uint8Array, _encoding: BufferEncoding, done: () => void): void {
    this.#send(bytes)
    done()
  }

  /** A packet comes as several small writes of one turn; they leave as one. */
  override _writev(chunks: readonly { readonly chunk: Uint8Array }[], done: () => void): void {
    this.#send(concatBytes(chunks.map(({ chunk }) => chunk)))
    done()
  }

  override _final(done: () => void): void {
    this.#end = () => this.#transport.end(done)
    if (this.heldBytes === 0) this.#end()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#transport.destroy()
    this.#reportHeld()
    done(error)
  }

  #receive(bytes: Uint8Array): void {
    const refusal = this.#guard.take(bytes)
    if (refusal !== undefined) this.destroy(refusal)
    else if (!this.push(bytes)) this.#transport.pause()
  }

  #send(bytes: Uint8Array): void {
    if (bytes.byteLength === 0) return
    if (this.#writingBytes === 0) return this.#writeNow(bytes)
    if (this.heldBytes + bytes.byteLength > this.#maxHeldBytes) {
      const message = `The client left ${this.heldBytes} bytes unread; ${this.#maxHeldBytes} are allowed.`
      this.destroy(new AppError("slow_client", message))
      return
    }
    this.#waiting.push(bytes)
    this.#reportHeld()
  }

  #writeNow(bytes: Uint8Array): void {
    this.#writingBytes = bytes.byteLength
    this.#reportHeld()
    this.#transport.write(bytes, (error) => {
      // The transport's "error" event ends this connection; nothing is left to write then.
      if (error) return
      this.#writingBytes = 0
      const next = this.#waiting.take(mostAtOnce)
      if (next.byteLength > 0) return this.#writeNow(next)
      this.#reportHeld()
      this.#end?.()
    })
  }

  #reportHeld(): void {
    const changeBytes = this.heldBytes - this.#reportedBytes
    this.#reportedBytes += changeBytes
    if (changeBytes !== 0) this.#onHeldChange?.(changeBytes)
  }
}
