import { createServer, type Server, type Socket } from "node:net"
import { createServer as createTlsServer } from "node:tls"
import { keepAliveDelayMs } from "@serialcast/primitives/tcp"
import type { ListenAddress } from "../config/config.ts"
import { isLoopback } from "../config/listen-address.ts"
import { createAllowList } from "./allow-list.ts"
import { closeServer } from "./close-server.ts"
import { listen } from "./listen.ts"
import { unmapAddress } from "./peer-name.ts"

/**
 * What is read of a client before it is taken, in bytes: behind a device that cannot keep up, pieces of 60,000 bytes are cut
 * from it. With Node's 16 KiB every second piece has 5,536 bytes, as sockets are read by 64 KiB.
 */
const readAheadBytes = 256 * 1024

export interface AcceptOptions {
  readonly listen: ListenAddress
  /** Networks whose addresses may connect; null: every address. */
  readonly allow: readonly string[] | null
  /** How many clients are served at once. */
  readonly maxClients: number
  /** How many of them may be of one address that is not this machine's own. Default: all. */
  readonly maxOfAddress?: number | undefined
  /** Names the listener for people, like `raw tunnel of local/uno`. */
  readonly what: string
  /** Certificate chain and key, both as PEM: clients come through TLS. Default: they do not. */
  readonly tls?: { readonly cert: string; readonly key: string } | null | undefined
}

/** What a client of TLS may take for its part of the opening, in milliseconds: far from here it is a second. */
const tlsHandshakeMs = 10_000

/** `share`: others of its address have all places that one may have. */
export type Refusal = "address" | "full" | "share"

export interface AcceptHandlers {
  /**
   * Serves one client until its end, which is the end of the socket too. Must not reject. The socket is half-open: the
   * other end's FIN ends only reading. It has its error listener: errors are told by `close`.
   */
  readonly serve: (socket: Socket) => Promise<void>
  /** All places are taken: answers whether one is free now. Default: none is. */
  readonly makeRoom?: (() => boolean) | undefined
  /** A client was closed before anything was read from it. */
  readonly onRefused: (socket: Socket, why: Refusal) => void
}

export interface Acceptor {
  /** Where it listens; the port is the real one when 0 was asked for. */
  readonly address: ListenAddress
  /** Accepts nobody any more, and resolves when every client is served to the end, which is the caller's to bring. */
  close(): Promise<void>
}

/** Accepts TCP clients that may come in, up to a limit. Throws `listen_failed`. */
export async function acceptClients(
  { listen: listenAt, allow, maxClients, maxOfAddress = maxClients, what, tls }: AcceptOptions,
  { serve, makeRoom = () => false, onRefused }: AcceptHandlers,
): Promise<Acceptor> {
  const isAllowed = createAllowList(allow)
  const served = new Map<Promise<void>, string>()
  const countOf = (address: string) => [...served.values()].filter((other) => other === address).length
  const { server, connected } = createListener(tls ?? null)
  server.on(connected, (socket: Socket) => {
    // `close` follows, and says all there is to say.
    socket.on("error", () => {})
    const refuse = (why: Refusal) => {
      onRefused(socket, why)
      socket.destroy()
    }
    const address = unmapAddress(socket.remoteAddress ?? "")
    if (!isAllowed(address)) return refuse("address")
    if (!isLoopback(address) && countOf(address) >= maxOfAddress) return refuse("share")
    if (served.size >= maxClients && !makeRoom()) return refuse("full")
    const serving = serve(socket).finally(() => {
      served.delete(serving)
      socket.destroy()
    })
    served.set(serving, address)
  })
  const address = await listen(server, listenAt, what)
  return {
    address,
    async close() {
      const closed = closeServer(server, { graceMs: 1_000 })
      await Promise.all(served.keys())
      await closed
    },
  }
}

/** A server, and the event by which it gives its sockets when they are ready. */
function createListener(tls: { readonly cert: string; readonly key: string } | null): {
  readonly server: Server
  readonly connected: string
} {
  const options = {
    allowHalfOpen: true,
    highWaterMark: readAheadBytes,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: keepAliveDelayMs,
  }
  if (tls === null) return { server: createServer(options), connected: "connection" }
  const server = createTlsServer({ ...options, ...tls, handshakeTimeout: tlsHandshakeMs })
  return { server, connected: "secureConnection" }
}
