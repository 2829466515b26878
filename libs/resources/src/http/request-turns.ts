import type { Socket } from "node:net"

/** Requests that may wait for the one before them on a connection; the body of each is held meanwhile. */
const mostWaiting = 16

/**
 * Requests of one connection (RFC 9112 §9.3.2) are done one after the other: who gets behind a put gets what was put. Others
 * have nothing to wait for.
 */
export class RequestTurns {
  readonly #connections = new WeakMap<Socket, { waiting: number; last: Promise<void> }>()

  /** Whether a request that came now would have to wait. */
  isBusy(socket: Socket): boolean {
    return (this.#connections.get(socket)?.waiting ?? 0) > 0
  }

  /** Whether as many wait as may. */
  isFull(socket: Socket): boolean {
    return (this.#connections.get(socket)?.waiting ?? 0) > mostWaiting
  }

  /** Runs `work`, which never rejects, in its turn: at once where there is nothing before it. */
  take(socket: Socket, work: () => Promise<void>): void {
    const turns = this.#connections.get(socket) ?? { waiting: 0, last: Promise.resolve() }
    this.#connections.set(socket, turns)
    const isFirst = turns.waiting === 0
    turns.waiting += 1
    const run = async () => {
      // Nobody is there to answer to, and nobody has been told that it was done.
      if (isFirst || !socket.destroyed) await work()
      turns.waiting -= 1
    }
    turns.last = isFirst ? run() : turns.last.then(run)
  }
}
