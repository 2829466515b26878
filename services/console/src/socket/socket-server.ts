import type { IncomingMessage } from "node:http"
import type { Duplex } from "node:stream"
import { AppError, maxWriteBytes, parseStartPoint, toAppError } from "@serialcast/contract"
import { type ByteAccount, ByteBudget, type Clock, LoopTurns, withDeadline } from "@serialcast/primitives"
import {
  type Logger,
  networkOf,
  type Refusals,
  type RequestGuard,
  refuseUpgrade,
} from "@serialcast/service-kit"
import { type WebSocket, WebSocketServer } from "ws"
import type { ConsoleDevices } from "../console-devices.ts"
import type { ConsoleMetrics } from "../metrics.ts"
import { subProtocol } from "../wire/frames.ts"
import { keepAlive } from "./heartbeat.ts"
import { meterSocket } from "./meter-socket.ts"
import { createPacedSocket, type PacedSocket } from "./paced-socket.ts"
import { serveClassic } from "./serve-classic.ts"
import { serveDeviceList } from "./serve-device-list.ts"
import { serveStream } from "./serve-stream.ts"
import { closeCodes, closeFailed, type ServedSocket, type ServeOptions } from "./served-socket.ts"

/** Sockets at once: as many as there may be connections, less some for pages. What they send shares one memory. */
const maxSockets = 1_000
/** Of them, those of one address: whoever opens all it can leaves room for others. */
const maxOfOne = maxSockets / 2
/** For what clients sent, beside what each may hold in any case. */
const memory = { totalBytes: 64 * 1024 * 1024, freeBytes: 128 * 1024 }
/** Browsers send a large message in some dozens of pieces; each holds the read from the network that it came with. */
const maxFragments = 1_024
/** A whole write, and what little JSON needs around a shorter one. */
const maxPayload = maxWriteBytes + 4096
/** What writes on their way may take when the service stops, in milliseconds. */
const finishTimeoutMs = 1_500

export interface SocketServerOptions {
  readonly guard: RequestGuard
  readonly devices: ConsoleDevices
  /** `<gateway>/<device>` for clients that name none. */
  readonly defaultDevice: string
  readonly clock: Clock
  readonly log: Logger
  /** Are told of who is refused or breaks the protocol; what the guard refuses, it tells itself. */
  readonly refusals: Refusals
  readonly metrics: ConsoleMetrics
}

/** The WebSocket half of the console. */
export interface SocketServer {
  /** For the `upgrade` event of an HTTP server. */
  handleUpgrade(request: IncomingMessage, connection: Duplex, head: Uint8Array): void
  /** Answers or refuses the writes that were accepted, then closes every socket. Takes at most 2.5 s. */
  stop(): Promise<void>
}

interface OpenSocket {
  /** Whose share it takes from. */
  readonly network: string
  readonly paced: PacedSocket
  readonly served: ServedSocket
  readonly closed: Promise<void>
}

export function createSocketServer(options: SocketServerOptions): SocketServer {
  const { clock, refusals, metrics } = options
  /** Also those whose client has left while its writes are still being done. */
  const open = new Set<OpenSocket>()
  const budget = new ByteBudget(memory)
  const turns = new LoopTurns()
  let isStopping = false
  const server = createServer()

  function whyNoRoom({ socket }: IncomingMessage): AppError | null {
    if (isStopping) return new AppError("overloaded", "The console is stopping.")
    if (open.size >= maxSockets)
      return new AppError("overloaded", `This console serves at most ${maxSockets} sockets at once.`)
    const network = networkOf(socket.remoteAddress)
    const count = [...open].filter((entry) => entry.network === network).length
    if (count < maxOfOne) return null
    return new AppError("overloaded", `One address may have at most ${maxOfOne} sockets at once.`)
  }

  function start(socket: WebSocket, request: IncomingMessage): void {
    const paced = createPacedSocket(socket, { clock, turns })
    const network = networkOf(request.socket.remoteAddress)
    const account = budget.open(network)
    const memory = meterSocket(socket, request, { paced, account, refusals })
    keepAlive(socket, paced, clock)
    const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()))
    const served = serveSocket(options, { ...options, socket, paced, memory }, request)
    void follow({ network, paced, served, closed }, account)
  }

  async function follow(entry: OpenSocket, account: ByteAccount): Promise<void> {
    open.add(entry)
    metrics.setSockets(open.size)
    await entry.closed
    await entry.served.lane?.idle()
    account[Symbol.dispose]()
    open.delete(entry)
    metrics.setSockets(open.size)
  }

  return {
    handleUpgrade(request, connection, head) {
      const refusal = whyNotUpgrade(options, request) ?? whyNoRoom(request)
      if (refusal?.code === "overloaded") refusals.report(request.socket.remoteAddress, refusal)
      if (refusal !== null) return refuseUpgrade(request, connection, refusal)
      server.handleUpgrade(request, connection, Buffer.from(head), (socket) => start(socket, request))
    },
    async stop() {
      isStopping = true
      await Promise.all([...open].map((entry) => finish(entry, options)))
    },
  }
}

function createServer(): WebSocketServer {
  return new WebSocketServer({
    noServer: true,
    maxPayload,
    maxFragments,
    // Compression would cost each socket hundreds of KiB, and device bytes are few.
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has(subProtocol) ? subProtocol : false),
  })
}

/** Answers or refuses what the client wrote, then closes its socket if it is still there. */
async function finish(
  { paced, served, closed }: OpenSocket,
  { clock, log }: SocketServerOptions,
): Promise<void> {
  const error = () => new AppError("no_reply", "A write had no outcome when the console stopped.")
  try {
    served.lane?.refuseRest()
    await withDeadline(Promise.resolve(served.lane?.idle()), { clock, timeoutMs: finishTimeoutMs, error })
  } catch (cause) {
    log.warn({ err: cause }, "a client was left without the receipt of its write")
  }
  paced.close(closeCodes.goingAway, "the console is stopping")
  await Promise.all([closed, served.ended])
}

function whyNotUpgrade({ guard }: SocketServerOptions, request: IncomingMessage): AppError | null {
  const { pathname } = urlOf(request)
  if (pathname !== "/ws" && pathname !== "/ws/devices") {
    return new AppError("unknown_path", "WebSockets are served at /ws and /ws/devices.")
  }
  return guard.whyNot(request)
}

function serveSocket(
  { defaultDevice }: SocketServerOptions,
  serving: ServeOptions,
  request: IncomingMessage,
): ServedSocket {
  const { pathname, searchParams } = urlOf(request)
  if (pathname === "/ws/devices") return serveDeviceList(serving)
  try {
    const address = searchParams.get("device") ?? defaultDevice
    const from = parseStartPoint(searchParams.get("from") ?? "now")
    const isStream = serving.socket.protocol === subProtocol
    const by = `console:${request.socket.remoteAddress ?? "unknown"}`
    return (isStream ? serveStream : serveClassic)({ ...serving, address, from, by })
  } catch (error) {
    closeFailed(serving, toAppError(error))
    return { ended: Promise.resolve() }
  }
}

/** The path and query of a request; those of `/` when the client sent no address at all. */
function urlOf({ url = "/" }: IncomingMessage): URL {
  const base = "http://console.invalid"
  return new URL(URL.canParse(url, base) ? url : "/", base)
}
