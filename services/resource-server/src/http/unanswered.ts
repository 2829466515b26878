import type { IncomingMessage, ServerResponse } from "node:http"
import type { Socket } from "node:net"

/** Requests of one connection that are not answered yet: each may wait for a minute, and Node reads on. */
const mostUnanswered = 32

/** How many requests of each connection wait for their answers. */
export class Unanswered {
  readonly #bySocket = new WeakMap<Socket, number>()

  /** Counts a request until its response is out; false: there are too many before it. */
  take({ socket }: IncomingMessage, response: ServerResponse): boolean {
    const before = this.#bySocket.get(socket) ?? 0
    if (before >= mostUnanswered) return false
    if (before === 0) socket.setMaxListeners(2 * mostUnanswered)
    this.#bySocket.set(socket, before + 1)
    response.once("close", () => this.#bySocket.set(socket, (this.#bySocket.get(socket) ?? 1) - 1))
    return true
  }
}
