import type { Socket } from "node:net"
import { type Clock, createWakeup, delay } from "@serialcast/primitives"
import type { ClientRecord } from "../clients/client-record.ts"
import { IdleWatch, type IdleWatchOptions } from "../clients/idle-watch.ts"

/** What may wait for a TCP side that does not read; nothing more is taken from the line then. */
const maxWaitingBytes = 256 * 1024
/**
 * A TCP side that takes nothing for this long, with that much waiting, is given up, in milliseconds. The system tells of
 * pieces of that size only as a whole, so it has to take 13 KB a second.
 */
const stallMs = 20_000
const lookMs = 1_000
const endLookMs = 100
/** For the other end's FIN, after ours, in milliseconds. */
const closeMs = 2_000

export interface CableConnectionOptions {
  readonly socket: Socket
  readonly record: ClientRecord
  readonly clock: Clock
  readonly idleTimeoutMs: number | null
}

/** The TCP connection that the cable carries, or will when its turn comes. */
export class CableConnection {
  readonly socket: Socket
  readonly record: ClientRecord
  /** Aborted when the socket is closed, by whomever. */
  readonly closed: AbortSignal
  readonly #options: CableConnectionOptions
  readonly #drained = createWakeup()
  #idle: IdleWatch | null = null
  #isEnded = false

  constructor(options: CableConnectionOptions) {
    const { socket, record } = options
    this.#options = options
    this.socket = socket
    this.record = record
    const closed = new AbortController()
    this.closed = closed.signal
    socket.on("drain", () => this.#drained.wake())
    socket.once("close", () => {
      this.#idle?.[Symbol.dispose]()
      closed.abort()
      this.#drained.wake()
    })
    if (socket.destroyed) closed.abort()
  }

  /** From now on it is idle when nothing moves, unless `isBusy`: the line has still to take what came from it. */
  watch({ isBusy, onIdle }: Pick<IdleWatchOptions, "isBusy" | "onIdle">): void {
    if (this.closed.aborted) return
    const { clock, idleTimeoutMs } = this.#options
    this.#idle = new IdleWatch({ clock, timeoutMs: idleTimeoutMs, isBusy, onIdle })
  }

  /** Bytes moved, one way or the other. */
  moved(): void {
    this.#idle?.moved()
  }

  deliver(bytes: Uint8Array): void {
    if (this.socket.writableEnded || this.socket.destroyed) return
    this.socket.write(bytes)
    this.record.countToClient(bytes.byteLength)
    this.moved()
  }

  /** Resolves when more may be delivered; `stalled`: the TCP side does not read. */
  async room(signal: AbortSignal): Promise<"room" | "stalled"> {
    const { socket } = this
    let waitingBytes = socket.writableLength
    let stalledMs = 0
    while (socket.writableLength > maxWaitingBytes && !this.closed.aborted && !signal.aborted) {
      if (stalledMs >= stallMs) return "stalled"
      await this.#drained.wait({ signal, timeout: { clock: this.#options.clock, ms: lookMs } })
      stalledMs = socket.writableLength < waitingBytes ? 0 : stalledMs + lookMs
      waitingBytes = socket.writableLength
    }
    return "room"
  }

  /**
   * Sends what was delivered, then FIN. What still comes has to be read: unread, it would make the system throw away what
   * it has still to send.
   */
  end(): void {
    if (this.#isEnded) return
    this.#isEnded = true
    void this.#endWhenTaken()
  }

  /** Ends it so that the other end knows that this was none of its far program's ends (RST). */
  reset(): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.socket.resetAndDestroy()
  }

  async #endWhenTaken(): Promise<void> {
    const { socket, closed } = this
    const { clock } = this.#options
    socket.end()
    let waitingBytes = socket.writableLength
    for (let stalledMs = 0; stalledMs < stallMs && !socket.writableFinished; stalledMs += endLookMs) {
      await delay(clock, endLookMs, closed)
      if (closed.aborted) return
      if (socket.writableLength < waitingBytes) stalledMs = 0
      waitingBytes = socket.writableLength
    }
    // What was cut must not look whole.
    if (!socket.writableFinished) return void socket.resetAndDestroy()
    if (!socket.readableEnded) await delay(clock, closeMs, closed)
    socket.destroy()
  }
}
