import { readFileSync } from "node:fs"
import type { Socket } from "node:net"
import { createDeferred } from "@serialcast/primitives"
import { endsOf } from "@serialcast/primitives/tcp"

/**
 * How the connection of a socket, connected by now and read, is ended by its peer: by FIN or by a reset. Node cannot be
 * believed here: of a reset right behind data libuv tells an end alone (`uv__stream_io`: POLLHUP and a partial read). The
 * kernel knows: a connection that was reset is gone from its table, one that was ended stays there (Linux, proc(5)).
 */
export function endingOf(socket: Socket): Promise<"fin" | "reset"> {
  const ending = createDeferred<"fin" | "reset">()
  // Once the connection is gone the system does not name its ends any more.
  const ends = endsOf(socket)
  const isListed = () => tables.some((table) => readFileSync(table, "latin1").includes(` ${ends} `))
  socket.once("end", () => ending.resolve(isListed() ? "fin" : "reset"))
  socket.once("error", () => ending.resolve("reset"))
  return ending.promise
}

const tables = ["/proc/net/tcp", "/proc/net/tcp6"]
