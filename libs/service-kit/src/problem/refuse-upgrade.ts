import { type IncomingMessage, ServerResponse } from "node:http"
import type { Socket } from "node:net"
import type { Duplex } from "node:stream"
import type { AppError } from "@serialcast/contract"
import { lingerAndCut } from "../listen/linger.ts"
import { sendProblem } from "./problem.ts"

/** Answers an upgrade request with a problem document and ends its connection: Node gives such requests a bare socket. */
export function refuseUpgrade(request: IncomingMessage, connection: Duplex, error: AppError): void {
  // The client may be gone already, and then there is nobody to tell.
  connection.on("error", () => connection.destroy())
  const response = new ServerResponse(request)
  response.shouldKeepAlive = false
  // The connections of an http server are net.Sockets, though its types say Duplex.
  response.assignSocket(connection as Socket)
  response.once("finish", () => {
    connection.end()
    // Its other end may stay open for ever, as no timeout of the server holds for it any more.
    lingerAndCut(connection)
  })
  sendProblem(response, error)
}
