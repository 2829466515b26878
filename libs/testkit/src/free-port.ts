import { once } from "node:events"
import { createServer } from "node:net"

/** A port on 127.0.0.1 that the system chose and nothing listens on now, for programs that do not say which one they got. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  server.close()
  await once(server, "close")
  if (address === null || typeof address === "string") throw new Error("a TCP server has no port")
  return address.port
}
