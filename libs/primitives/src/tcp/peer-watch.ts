import type { Socket } from "node:net"
import type { Clock, Timer } from "../clock.ts"
import { longAgo, msSince } from "../monotonic.ts"
import type { MonotonicMs } from "../time-kinds.ts"
import { endsOf, readUnanswered, type TcpEnds } from "./tcp-table.ts"

/** How often the system is asked, in milliseconds, while bytes are on their way. */
const lookMs = 3_000
/** A single one may be lost on the way. */
const fewestUnanswered = 2

/**
 * For sockets that are to be found dead within 40 s of their peer's last word, in milliseconds: the pause before keep-alive
 * asks a peer to which nothing is on its way. It is given up 10 s later (libuv: ten probes, each second). What is sent just
 * before that has the other 20 s, which are `PeerWatch`'s.
 */
export const keepAliveDelayMs = 10_000
const silentMs = 15_000

/**
 * Notices peers that vanish without a word (power lost, network gone) while bytes are on their way to them. Keep-alive
 * rests then, and the system goes on sending these again for 15 minutes. Who merely does not read answers, and stays.
 * Where the system does not tell (only Linux does), nothing is noticed.
 */
export interface PeerWatch {
  /** Until the connected socket is closed. `onVanished` is called once; the socket is the caller's to destroy. */
  watch(socket: Socket, onVanished: () => void): void
}

export interface PeerWatchOptions {
  readonly clock: Clock
  /** A peer has vanished when it is silent for so long, in milliseconds. Default: 15 s. */
  readonly timeoutMs?: number
  /** Default: the system's. */
  readonly readUnanswered?: () => Promise<ReadonlyMap<TcpEnds, number> | null>
}

export function createPeerWatch(options: PeerWatchOptions): PeerWatch {
  return new TablePeerWatch(options)
}

class TablePeerWatch implements PeerWatch {
  readonly #clock: Clock
  readonly #timeoutMs: number
  readonly #readUnanswered: () => Promise<ReadonlyMap<TcpEnds, number> | null>
  readonly #peers = new Set<WatchedPeer>()
  #timer: Timer | null = null
  #isLooking = false
  #canTell = true

  constructor({ clock, timeoutMs = silentMs, readUnanswered: read = readUnanswered }: PeerWatchOptions) {
    this.#clock = clock
    this.#timeoutMs = timeoutMs
    this.#readUnanswered = read
  }

  watch(socket: Socket, onVanished: () => void): void {
    const ends = endsOf(socket)
    if (ends === null) return
    const peer = new WatchedPeer(socket, ends, onVanished)
    this.#peers.add(peer)
    socket.once("close", () => {
      this.#peers.delete(peer)
      if (this.#peers.size > 0) return
      this.#timer?.cancel()
      this.#timer = null
    })
    this.#lookLater()
  }

  #lookLater(): void {
    if (this.#peers.size === 0 || this.#isLooking || !this.#canTell) return
    this.#timer ??= this.#clock.startTimer(Math.min(lookMs, this.#timeoutMs / 3), () => void this.#look())
  }

  async #look(): Promise<void> {
    this.#timer = null
    this.#isLooking = true
    const sent = [...this.#peers].filter((peer) => peer.hasSent())
    if (sent.length > 0) {
      const unanswered = await this.#readUnanswered()
      this.#canTell = unanswered !== null
      for (const peer of sent) {
        const silentMs = peer.learn(unanswered?.get(peer.ends), this.#clock)
        if (silentMs >= this.#timeoutMs && this.#peers.delete(peer)) peer.onVanished()
      }
    }
    this.#isLooking = false
    this.#lookLater()
  }
}

class WatchedPeer {
  readonly ends: TcpEnds
  readonly onVanished: () => void
  readonly #socket: Socket
  /** How much was written when all of it was last known to be acknowledged. */
  #acknowledged = 0
  #written = 0
  #unanswered = 0
  #silentFromMs: MonotonicMs = longAgo

  constructor(socket: Socket, ends: TcpEnds, onVanished: () => void) {
    this.#socket = socket
    this.ends = ends
    this.onVanished = onVanished
  }

  /** Something may be on its way to it. */
  hasSent(): boolean {
    this.#written = this.#socket.bytesWritten
    return this.#written !== this.#acknowledged
  }

  /**
   * Takes its count; undefined: all is acknowledged. Answers for how long it has said nothing, in milliseconds: since the
   * first look that found no answer, while each later one found no fewer.
   */
  learn(unanswered: number | undefined, clock: Clock): number {
    if (unanswered === undefined) this.#acknowledged = this.#written
    const before = this.#unanswered
    this.#unanswered = unanswered ?? 0
    if (this.#unanswered === 0) return 0
    if (before === 0 || this.#unanswered < before) this.#silentFromMs = clock.monotonicMs()
    return this.#unanswered < fewestUnanswered ? 0 : msSince(clock, this.#silentFromMs)
  }
}
