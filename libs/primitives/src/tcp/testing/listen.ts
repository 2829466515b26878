import { once } from "node:events"
import { createServer, type Socket } from "node:net"
import { onTestFinished } from "vitest"

/** A listener for one connection, on a free port; both are gone with the test. */
export async function listen(host: string): Promise<{ port: number; accepted: Promise<Socket> }> {
  const server = createServer().listen(0, host)
  onTestFinished(() => void server.close())
  const accepted = once(server, "connection").then(([socket]): Socket => {
    socket.on("error", () => {})
    onTestFinished(() => socket.destroy())
    return socket
  })
  await once(server, "listening")
  const address = server.address()
  return { port: typeof address === "object" ? (address?.port ?? 0) : 0, accepted }
}
