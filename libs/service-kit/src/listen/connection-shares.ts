import type { Server, Socket } from "node:net"
import { AppError } from "@serialcast/contract"
import { networkOf } from "../access/network-of.ts"
import type { Refusals } from "../access/refusals.ts"

/**
 * Gives one address at most half of a server's connections: programs behind one address, as behind a proxy, are many, and
 * still whoever opens all it can leaves room for others. What is beyond is closed at once, and counted.
 */
export function shareConnections(server: Server, maxConnections: number, refusals: Refusals): void {
  const mostOfOne = Math.ceil(maxConnections / 2)
  const counts = new Map<string, number>()
  server.maxConnections = maxConnections
  server.on("drop", (dropped) => {
    refusals.report(
      dropped?.remoteAddress,
      new AppError("overloaded", `This listener serves at most ${maxConnections} connections.`),
    )
  })
  server.on("connection", (socket: Socket) => {
    const { remoteAddress } = socket
    const network = networkOf(remoteAddress)
    const count = (counts.get(network) ?? 0) + 1
    if (count > mostOfOne) {
      socket.destroy()
      const error = new AppError("overloaded", `One address may have at most ${mostOfOne} connections.`)
      return refusals.report(remoteAddress, error)
    }
    counts.set(network, count)
    socket.once("close", () => {
      const left = (counts.get(network) ?? 0) - 1
      if (left > 0) counts.set(network, left)
      else counts.delete(network)
    })
  })
}
