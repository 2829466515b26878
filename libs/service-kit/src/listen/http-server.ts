import { createServer, type Server } from "node:http"
import type { Socket } from "node:net"
import { AppError } from "@serialcast/contract"
import type { Refusals } from "../access/refusals.ts"
import { sendProblem } from "../problem/problem.ts"
import { type ClientError, endWithProblem, problemOf } from "./client-error.ts"
import { shareConnections } from "./connection-shares.ts"
import { endUnfinished } from "./linger.ts"
import { defaultMaxConnections } from "./listen.ts"
import { type Handler, oneAtATime } from "./one-at-a-time.ts"

export interface HttpServerOptions {
  readonly refusals: Refusals
  /** Of all clients; one address has half of them. Default: 1,024. */
  readonly maxConnections?: number
  /** Of the request line and the headers together. Default: 16 KiB. */
  readonly maxHeaderBytes?: number
  /** Finds out that a peer vanished (TCP keep-alive), in milliseconds. Default: nobody looks. */
  readonly keepAliveInitialDelayMs?: number
  /** For a whole request, in milliseconds; 0: its handler sees to that. Default: a minute. */
  readonly requestTimeoutMs?: number
}

// Programs and browsers send a head at once; what takes longer holds a connection for nothing.
const headersTimeoutMs = 20_000
const defaultRequestTimeoutMs = 60_000
const checkEveryMs = 2_000

/**
 * An HTTP server for clients that may be anybody: bounded in connections, headers and time, it answers all that goes wrong
 * with a problem document, and keeps no connection of whoever was answered and goes on sending. To be started by `listen`.
 */
export function createHttpServer(options: HttpServerOptions, handle: Handler): Server {
  const { refusals, maxHeaderBytes = 16 * 1_024, requestTimeoutMs = defaultRequestTimeoutMs } = options
  const { keepAliveInitialDelayMs: keepAliveMs } = options
  const server = createServer({
    maxHeaderSize: maxHeaderBytes,
    noDelay: true,
    ...(keepAliveMs === undefined ? {} : { keepAlive: true, keepAliveInitialDelay: keepAliveMs }),
    // Of a whole request, the head is a part.
    headersTimeout: Math.min(headersTimeoutMs, requestTimeoutMs || headersTimeoutMs),
    requestTimeout: requestTimeoutMs,
    connectionsCheckingInterval: checkEveryMs,
    // Node would answer without a word; the guard says what is missing.
    requireHostHeader: false,
  })
  shareConnections(server, options.maxConnections ?? defaultMaxConnections, refusals)
  const handleInTurn = oneAtATime(handle)
  server.on("request", (request, response) => {
    endUnfinished(request, response)
    if (URL.canParse(request.url ?? "", "http://localhost")) return handleInTurn(request, response)
    const found = JSON.stringify(request.url?.slice(0, 100))
    sendProblem(response, new AppError("bad_request", `Expected an address to ask for; found ${found}.`))
  })
  server.on("checkExpectation", (request, response) => {
    const found = JSON.stringify(request.headers.expect)
    sendProblem(response, new AppError("bad_request", `Expect: expected 100-continue; found ${found}.`))
  })
  const ending = new WeakSet<Socket>()
  server.on("clientError", (error: ClientError, socket: Socket) => {
    const problem = problemOf(error, socket)
    if (problem === null) return void socket.destroy()
    // All that comes after it is an error too.
    if (ending.has(socket)) return
    ending.add(socket)
    refusals.report(socket.remoteAddress, problem)
    endWithProblem(socket, problem)
  })
  return server
}
