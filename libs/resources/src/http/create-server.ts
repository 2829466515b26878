import { createServer as createHttp, type RequestListener, type Server, type ServerOptions } from "node:http"
import { createServer as createHttps } from "node:https"
import type { Socket } from "node:net"
import { textAnswer } from "../answer/answer.ts"
import { answerToError, type ClientError, endWith } from "./client-error.ts"
import type { ResourceHandler } from "./resource-handler.ts"

export interface ResourceServerOptions {
  /** Certificate and key in PEM: the server speaks HTTPS. */
  readonly tls?: { readonly key: Uint8Array; readonly cert: Uint8Array } | undefined
  /** For the request line and the headers, in milliseconds. Default: 5,000, as the original. */
  readonly headTimeoutMs?: number
  /** For a whole request, in milliseconds. Default: 150,000. */
  readonly requestTimeoutMs?: number
  /** Of request line and headers together, in bytes. Default: 12 KiB. */
  readonly maxHeaderBytes?: number
  /** What is beyond is closed at once. Default: 256. */
  readonly maxConnections?: number
}

/** Less than a TLS record has: of what is sent at once, its begin tells which part of it is too long. */
const defaultHeaderBytes = 12 * 1024
const longestCheckMs = 1_000
const handshakeTimeoutMs = 10_000

/** A server of nothing but resources, bounded in connections, headers and time. */
export function createServer(handle: ResourceHandler, options: ResourceServerOptions = {}): Server {
  const { tls, headTimeoutMs = 5_000, requestTimeoutMs = 150_000 } = options
  const limits: ServerOptions = {
    maxHeaderSize: options.maxHeaderBytes ?? defaultHeaderBytes,
    noDelay: true,
    headersTimeout: headTimeoutMs,
    requestTimeout: Math.max(requestTimeoutMs, headTimeoutMs),
    connectionsCheckingInterval: Math.min(headTimeoutMs, longestCheckMs),
    // Node would answer without a word.
    requireHostHeader: false,
  }
  const listener: RequestListener = (request, response) => handle(request, response)
  const server =
    tls === undefined
      ? createHttp(limits, listener)
      : createHttps({ ...limits, ...pem(tls), handshakeTimeout: handshakeTimeoutMs }, listener)
  server.maxConnections = options.maxConnections ?? 256
  server.on("checkContinue", (request, response) => {
    handle(request, response, () => response.writeContinue())
  })
  server.on("checkExpectation", (request, response) => {
    const { status, headers, body } = textAnswer(417, "Expect nothing but 100-continue.", {
      Connection: "close",
    })
    response.writeHead(status, headers)
    response.end(body)
    request.resume()
  })
  server.on("connect", (_request, socket: Socket) => {
    endWith(socket, textAnswer(501, "Use no CONNECT: this is no proxy.", { Connection: "close" }))
  })
  const ending = new WeakSet<Socket>()
  server.on("clientError", (error: ClientError, socket: Socket) => {
    // All that comes behind what is no HTTP is none either.
    if (ending.has(socket)) return
    ending.add(socket)
    const answer = answerToError(error, socket.bytesRead)
    if (answer === undefined) socket.destroy()
    else endWith(socket, answer)
  })
  return server
}

/** What Node's types call a buffer. */
function pem({ key, cert }: { readonly key: Uint8Array; readonly cert: Uint8Array }) {
  return { key: Buffer.from(key), cert: Buffer.from(cert) }
}
