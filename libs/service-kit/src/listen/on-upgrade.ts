import type { IncomingMessage, Server } from "node:http"
import type { Socket } from "node:net"
import type { Duplex } from "node:stream"
import { AppError } from "@serialcast/contract"
import { endWithProblem, responseOn } from "./client-error.ts"

export type UpgradeHandler = (request: IncomingMessage, connection: Duplex, head: Uint8Array) => void

/**
 * Lets `handle` have the upgrades of an HTTP server. One that comes behind a request that is not answered yet is none: that
 * answer would come in the middle of the new protocol. It is refused, once what came before is answered.
 */
export function onUpgrade(server: Server, handle: UpgradeHandler): void {
  server.on("upgrade", (request, connection, head) => {
    // The connections of an http server are net.Sockets, though its types say Duplex.
    const socket = connection as Socket
    if (responseOn(socket) === null) return handle(request, connection, head)
    // Node has taken its own listener away, and without one a reset would end the process.
    socket.on("error", () => socket.destroy())
    const message = "An upgrade was asked for before the requests ahead of it were answered."
    endWithProblem(socket, new AppError("bad_request", message))
  })
}
