import { once } from "node:events"
import type { Server, Socket } from "node:net"
import { AppError } from "@serialcast/contract"
import type { ListenAddress } from "../config/config.ts"
import { formatListenAddress } from "../config/listen-address.ts"

/** Event by which `closeServer` asks for the end of a server's connections, upgraded ones included. */
export const endConnections = "serialcast:endConnections"

// Far more than the browsers and programs of one gateway; each costs a descriptor and some KiB even when it is idle.
export const defaultMaxConnections = 1_024

/**
 * Listens at `address` and answers the address that was bound. `what` names the listener for people. Beyond
 * `server.maxConnections`, 1,024 where it was not set before, connections are closed at once. Throws `listen_failed`.
 * Close such a server with `closeServer`.
 */
export async function listen(server: Server, address: ListenAddress, what: string): Promise<ListenAddress> {
  const { host, port } = address
  // Node leaves it undefined, whatever its type says.
  server.maxConnections ??= defaultMaxConnections
  trackConnections(server)
  try {
    // Without a host, Node listens on every address of both families, or of IPv4 where there is no IPv6.
    server.listen(host === "*" ? { port } : { host, port })
    await once(server, "listening")
  } catch (cause) {
    throw new AppError("listen_failed", reasonOf(cause, address, what), { cause })
  }
  const bound = server.address()
  return typeof bound === "object" && bound !== null ? { host: bound.address, port: bound.port } : address
}

/** A server forgets its sockets once they are upgraded to WebSockets, so they are remembered here. */
function trackConnections(server: Server): void {
  const sockets = new Set<Socket>()
  server.on("connection", (socket: Socket) => {
    sockets.add(socket)
    socket.once("close", () => sockets.delete(socket))
  })
  server.on(endConnections, () => {
    for (const socket of sockets) socket.destroy()
  })
}

function reasonOf(cause: unknown, address: ListenAddress, what: string): string {
  const { host, port } = address
  // Node's system errors carry a code; anything else falls through to the general sentence.
  switch ((cause as NodeJS.ErrnoException).code) {
    case "EADDRINUSE":
      return `Port ${port} (${what}) is in use by another program.`
    case "EACCES":
      return `Port ${port} (${what}) may not be opened by this user; ports below 1024 need extra rights.`
    case "EADDRNOTAVAIL":
      return `The address ${host} (${what}) is not one of this machine's addresses.`
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `The name ${host} (${what}) cannot be resolved to an address.`
    default:
      return `Cannot listen at ${formatListenAddress(address)} (${what}): ${String(cause)}.`
  }
}
