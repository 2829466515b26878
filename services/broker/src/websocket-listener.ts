import type { IncomingMessage, Server } from "node:http"
import type { Duplex } from "node:stream"
import { AppError } from "@serialcast/contract"
import {
  createHttpServer,
  type HttpServerOptions,
  onUpgrade,
  type RequestGuard,
  refuseUpgrade,
  sendProblem,
} from "@serialcast/service-kit"
import { createWebSocketStream, type WebSocket, WebSocketServer } from "ws"

// MQTT 3.1.1 §6: a frame may hold several packets; browser clients gather what they send in one turn.
const maxFrameBytes = 1024 * 1024

/** Before it is a WebSocket, a connection has this long to say what it wants, in milliseconds. */
const handshakeTimeoutMs = 10_000

const subProtocol = "mqtt"

export interface WebSocketListenerOptions
  extends Pick<HttpServerOptions, "refusals" | "maxConnections" | "keepAliveInitialDelayMs"> {
  /** Keeps pages of other sites out. It has no token: a browser cannot send one here, the MQTT password decides. */
  readonly guard: RequestGuard
  readonly accept: (stream: Duplex, request: IncomingMessage) => void
}

/** An HTTP server on any path of which MQTT over WebSocket is spoken; to be started with `listen`. */
export function createWebSocketListener({ guard, accept, ...options }: WebSocketListenerOptions): Server {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: maxFrameBytes,
    perMessageDeflate: false,
    handleProtocols: () => subProtocol,
  })
  const server = createHttpServer({ ...options, requestTimeoutMs: handshakeTimeoutMs }, (request, response) =>
    sendProblem(response, guard.whyNot(request) ?? notMqtt()),
  )
  onUpgrade(server, (request, socket, head) => {
    const refusal = guard.whyNot(request) ?? (offersMqtt(request) ? null : notMqtt())
    if (refusal !== null) return refuseUpgrade(request, socket, refusal)
    sockets.handleUpgrade(request, socket, Buffer.from(head), (webSocket) =>
      accept(toStream(webSocket), request),
    )
  })
  return server
}

function toStream(webSocket: WebSocket): Duplex {
  webSocket.on("message", (_, isBinary) => {
    // MQTT 3.1.1 [MQTT-6.0.0-1]: a text frame ends the connection. 1003 says that its kind was the reason.
    if (!isBinary) webSocket.close(1003)
  })
  return createWebSocketStream(webSocket)
}

function offersMqtt({ headers }: IncomingMessage): boolean {
  const offered = headers["sec-websocket-protocol"]?.split(",").map((name) => name.trim())
  return offered?.includes(subProtocol) ?? false
}

function notMqtt(): AppError {
  return new AppError("bad_request", "Expected a WebSocket with the sub-protocol mqtt.")
}
