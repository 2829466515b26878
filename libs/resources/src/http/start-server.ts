import { once } from "node:events"
import type { Server } from "node:http"
import type { Socket } from "node:net"
import { type Clock, createDeferred, systemClock } from "@serialcast/primitives"
import { ResourceError } from "../errors.ts"

export interface BoundAddress {
  readonly host: string
  readonly port: number
}

export interface RunningServer {
  readonly address: BoundAddress
  /** Takes no new connections, lets requests in progress end for a moment, and ends all that is left. */
  stop(): Promise<void>
}

const graceMs = 250

/** Throws `listen_failed`. */
export async function startServer(
  server: Server,
  { host, port }: BoundAddress,
  clock: Clock = systemClock,
): Promise<RunningServer> {
  // Those in the middle of a TLS handshake too, of which the server itself knows nothing.
  const sockets = new Set<Socket>()
  server.on("connection", (socket: Socket) => {
    sockets.add(socket)
    socket.once("close", () => sockets.delete(socket))
  })
  try {
    server.listen({ host, port })
    await once(server, "listening")
  } catch (cause) {
    const message = `Choose another port or address: cannot listen at ${host}, port ${port} (${codeOf(cause)}).`
    throw new ResourceError("listen_failed", message, { cause })
  }
  const bound = server.address()
  return {
    address:
      typeof bound === "object" && bound !== null
        ? { host: bound.address, port: bound.port }
        : { host, port },
    async stop() {
      const closed = createDeferred<void>()
      server.close(() => closed.resolve())
      using _timer = clock.startTimer(graceMs, () => {
        for (const socket of sockets) socket.destroy()
      })
      await closed.promise
    },
  }
}

function codeOf(cause: unknown): string {
  return cause instanceof Error && "code" in cause ? String(cause.code) : String(cause)
}
