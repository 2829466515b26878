import type { Socket } from "node:net"
import { type Clock, createDeferred, type Deferred, type Timer, unlessAborted } from "@serialcast/primitives"
import { createPeerWatch, untilAcknowledged } from "@serialcast/primitives/tcp"
import type { PortListener } from "../port-driver.ts"

/**
 * What the socket was given cannot be taken back, so whoever may have to drop what it sends gives pieces of this size, one
 * after the other.
 */
export const pieceBytes = 16 * 1024

// Of a device server that does not read: what nobody waits for (telnet's answers, what purges left) would add up for ever.
const maxUnsentBytes = 1024 * 1024

// For a device server to read what the system still has for it: a byte of the device that came after a full close would make
// the system throw that away (RFC 1122, section 4.2.2.13). Servers answer the end with theirs when they have read it.
const lingerMs = 500

const vanishedReason = "the device server does not answer any more"

export interface LinkListener extends Pick<PortListener, "onBytes" | "onClosed"> {
  /** Nothing is sent from now on. */
  onEnd?(reason: string): void
}

/**
 * A connection to a device server: what it sends to whom listens, and what is sent until the system took it. It ends when
 * more than 1 MiB waits for a server that does not read.
 */
export class ServerLink {
  readonly #socket: Socket
  readonly #listener: LinkListener
  readonly #clock: Clock
  readonly #closed = createDeferred<void>()
  /** What the socket was given and the system did not take yet. */
  readonly #sending = new Set<Deferred<"sent" | "left">>()
  #hasSent = false
  #lingering: Timer | null = null
  #endReason: string | null = null

  /** Takes over a connected socket. */
  constructor(socket: Socket, listener: LinkListener, clock: Clock) {
    this.#socket = socket
    this.#listener = listener
    this.#clock = clock
    socket.on("data", (bytes: Uint8Array) =>
      listener.onBytes(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)),
    )
    socket.once("end", () => this.end("the device server closed the connection"))
    socket.on("error", (error) => this.end(explainEnd(error)))
    createPeerWatch({ clock }).watch(socket, () => this.end(vanishedReason))
    socket.once("close", () => {
      this.end("the connection ended")
      this.#lingering?.cancel()
      listener.onClosed({ reason: this.#endReason ?? "" })
      this.#closed.resolve()
    })
  }

  get isEnded(): boolean {
    return this.#endReason !== null
  }

  checkOpen(): void {
    if (this.isEnded) throw new Error("the port is closed")
  }

  /**
   * Resolves when the system took the bytes and all before them, or, as `left`, when a purge or `signal` ends the wait: they go
   * out all the same. Rejects when the connection ends before.
   */
  async send(bytes: Uint8Array, signal?: AbortSignal): Promise<"sent" | "left"> {
    if (this.#endReason !== null) throw new Error(this.#endReason)
    const sent = createDeferred<"sent" | "left">()
    this.#sending.add(sent)
    this.#hasSent ||= bytes.byteLength > 0
    this.#give(bytes, (error) => {
      // The end of the connection rejects it with the reason.
      if (error) return
      sent.resolve("sent")
    })
    try {
      return await unlessAborted(sent.promise, signal, () => "left" as const)
    } finally {
      this.#sending.delete(sent)
    }
  }

  /**
   * Resolves when the device server's system has acknowledged all that was sent, or a purge ends the wait. Rejects when the
   * connection ends before.
   */
  async untilAcknowledged(): Promise<void> {
    const over = new AbortController()
    const done = createDeferred<"sent" | "left">()
    this.#sending.add(done)
    try {
      const acknowledged = untilAcknowledged(this.#socket, this.#clock, over.signal)
      await Promise.race([done.promise, acknowledged])
    } finally {
      over.abort()
      this.#sending.delete(done)
    }
  }

  /** Sends what nobody waits for. */
  post(bytes: Uint8Array): void {
    if (!this.isEnded && bytes.byteLength > 0) this.#give(bytes)
  }

  /** Resolves all that wait for what they sent, which goes out all the same. */
  purge(): void {
    for (const sent of this.#sending) sent.resolve("left")
    this.#sending.clear()
  }

  /** Resolves when the connection is closed; `onClosed` was called by then, and until then the device is heard. */
  close(): Promise<void> {
    this.end("closed by the agent")
    return this.#closed.promise
  }

  /** Ends the connection for this reason; the first one stands. */
  end(reason: string): void {
    if (this.isEnded) return
    this.#endReason = reason
    this.#close()
    for (const sent of this.#sending) sent.reject(new Error(reason))
    this.#sending.clear()
    this.#listener.onEnd?.(reason)
  }

  #close(): void {
    const socket = this.#socket
    // What the system has is still delivered; what it does not take would hold the end up.
    if (socket.writableLength > 0) socket.destroy()
    else if (socket.destroyed || !this.#hasSent) socket.destroySoon()
    else {
      socket.end()
      this.#lingering = this.#clock.startTimer(lingerMs, () => socket.destroy())
    }
  }

  #give(bytes: Uint8Array, onTaken?: (error?: Error | null) => void): void {
    this.#socket.write(bytes, onTaken)
    if (this.#socket.writableLength > maxUnsentBytes)
      this.end("the device server does not read what it is sent")
  }
}

function explainEnd(error: Error): string {
  const code = "code" in error ? error.code : undefined
  if (code === "ECONNRESET" || code === "EPIPE") return "the device server reset the connection"
  if (code === "ETIMEDOUT") return vanishedReason
  return `the connection failed: ${error.message}`
}
