import { createServer, type Socket } from "node:net"
import { createWakeup } from "@serialcast/primitives"
import { keepAliveDelayMs } from "@serialcast/primitives/tcp"
import { closeServer, type ListenAddress, listen } from "@serialcast/service-kit"

/** Connections that may wait to be accepted; what is beyond is closed. */
const backlog = 8

/** A listening socket of which connections are accepted one by one. */
export interface ListenSocket {
  /** Where it listens; the port is the real one when 0 was asked for. */
  readonly address: ListenAddress
  /** The next connection, half-open; null when it was closed. */
  accept(): Promise<Socket | null>
  /** Nobody is accepted any more, and those who wait are closed. Who was accepted stays. */
  close(): Promise<void>
}

/** `onConnection` is called when there is one to accept. Throws `listen_failed`. */
export async function openListenSocket(
  at: ListenAddress,
  onConnection: (socket: ListenSocket) => void,
): Promise<ListenSocket> {
  const waiting: Socket[] = []
  const changed = createWakeup()
  let isClosed = false
  const server = createServer({
    allowHalfOpen: true,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: keepAliveDelayMs,
  })
  server.on("connection", (socket) => {
    // `close` follows, and says all there is to say.
    socket.on("error", () => {})
    if (waiting.length >= backlog) return socket.destroy()
    waiting.push(socket)
    changed.wake()
    onConnection(listening)
  })
  const address = await listen(server, at, "WebREPL")
  const listening: ListenSocket = {
    address,
    async accept() {
      while (waiting.length === 0 && !isClosed) await changed.wait()
      return waiting.shift() ?? null
    },
    async close() {
      isClosed = true
      for (const socket of waiting.splice(0)) socket.destroy()
      changed.wake()
      await closeServer(server)
    },
  }
  return listening
}
