import { once } from "node:events"
import { connect, type Socket } from "node:net"
import { concatBytes, createWakeup, systemClock } from "@serialcast/primitives"
import type { RawTunnel } from "@serialcast/service-kit"
import { endingOf } from "@serialcast/testkit"
import type { RunningAll } from "../../up/start-all.ts"
import { tunnelDefaults } from "./tunnel-defaults.ts"

/** A raw tunnel of `local/pty` on a free port. For tests. */
export function rawTunnel(changes: Partial<RawTunnel> = {}): RawTunnel {
  return {
    type: "raw",
    ...tunnelDefaults,
    readOnly: false,
    ...changes,
  }
}

/** The port of the tunnel at this place of the configuration. */
export function portOf(all: RunningAll, at = 0): number {
  return Number(all.served().tunnels[at]?.endpoint.replace(/^.*:/, ""))
}

/** A TCP client of a tunnel that keeps what it gets. */
export interface RawClient {
  readonly socket: Socket
  readonly received: number
  /** The next `count` bytes. Throws when the connection ends before. */
  read(count: number): Promise<Uint8Array>
  /** How the connection ended: by FIN, or by a reset. */
  readonly ended: Promise<"fin" | "reset">
}

export async function connectRaw(port: number): Promise<RawClient> {
  const socket = connect({ host: "127.0.0.1", port, noDelay: true })
  const chunks: Uint8Array[] = []
  const news = createWakeup()
  let received = 0
  let unread = 0
  socket.on("data", (chunk: Uint8Array) => {
    chunks.push(new Uint8Array(chunk))
    received += chunk.byteLength
    unread += chunk.byteLength
    news.wake()
  })
  socket.on("close", () => news.wake())
  await once(socket, "connect")
  const ended = endingOf(socket)
  return {
    socket,
    get received() {
      return received
    },
    ended,
    async read(count) {
      while (unread < count) {
        if (socket.closed) throw new Error(`the connection ended after ${received} bytes`)
        const limits = { timeout: { clock: systemClock, ms: 20_000 } }
        if ((await news.wait(limits)) === "timeout") throw new Error(`nothing came after ${received} bytes`)
      }
      const all = concatBytes(chunks.splice(0))
      chunks.push(all.subarray(count))
      unread = all.byteLength - count
      return all.subarray(0, count)
    },
  }
}
