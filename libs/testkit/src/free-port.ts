import { once } from "node:events"
import { readFileSync } from "node:fs"
import { createServer } from "node:net"

// Linux's default where the file is missing; what programs with a number of their own use lies below it.
const [lowest, defaultEnd] = [20_000, 32_768]

/**
 * A port on 127.0.0.1 on which nothing listens now, for programs that do not say which one they got. It is none of those that
 * the system gives to connections and to listeners that leave it the choice: it stays free while its program is restarted.
 */
export async function freePort(): Promise<number> {
  const end = firstGivenPort()
  for (;;) {
    const port = lowest + Math.floor(Math.random() * (end - lowest))
    const server = createServer().listen(port, "127.0.0.1")
    const isFree = await Promise.race([
      once(server, "listening").then(() => true),
      new Promise<false>((resolve) => server.once("error", () => resolve(false))),
    ])
    if (!isFree) continue
    server.close()
    await once(server, "close")
    return port
  }
}

function firstGivenPort(): number {
  try {
    const [first = ""] = readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "latin1").trim().split(/\s+/)
    const port = Number(first)
    return port > lowest ? port : defaultEnd
  } catch {
    return defaultEnd
  }
}
