import type { IncomingMessage, ServerResponse } from "node:http"
import type { Socket } from "node:net"

/** Requests that may wait for the one before them on a connection; each costs some KiB. */
export const mostWaiting = 128

export type Handler = (request: IncomingMessage, response: ServerResponse) => void

interface Turns {
  readonly waiting: (() => void)[]
  isBusy: boolean
}

/**
 * Lets the requests of one connection be worked on one after the other, as they are answered in that order anyway: a client
 * that sends many without waiting (RFC 9112 §9.3.2) costs what one costs. One that sends too many is cut off.
 */
export function oneAtATime(handle: Handler): Handler {
  const connections = new WeakMap<Socket, Turns>()
  return (request, response) => {
    const { socket } = request
    const turns = connections.get(socket) ?? { waiting: [], isBusy: false }
    connections.set(socket, turns)
    const start = () => {
      turns.isBusy = true
      // Finished or cut: in any case it is over then.
      response.once("close", () => {
        turns.isBusy = false
        if (socket.destroyed) turns.waiting.length = 0
        turns.waiting.shift()?.()
      })
      handle(request, response)
    }
    if (!turns.isBusy) return start()
    if (turns.waiting.length >= mostWaiting) return void socket.destroy()
    turns.waiting.push(start)
  }
}
