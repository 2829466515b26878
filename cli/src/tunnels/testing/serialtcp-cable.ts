import { once } from "node:events"
import { type AddressInfo, createServer, type Socket } from "node:net"
import { createWakeup, systemClock } from "@serialcast/primitives"
import { deviceAt } from "@serialcast/serial-agent"
import type { SerialtcpClientTunnel, SerialtcpServerTunnel } from "@serialcast/service-kit"
import { eventually, type PtyDevice } from "@serialcast/testkit"
import { startTestAll, type TestAll } from "../../testing/start-test-all.ts"
import { createPtySocket, type PtySocket } from "./pty-socket.ts"

const cable = { timeoutMs: 5_000, syncTimeoutMs: null, silenceMs: 20, graceMs: 300, idleTimeoutMs: null }

/** The end at `local/pty`. For tests. */
export function serverTunnel(changes: Partial<SerialtcpServerTunnel> = {}): SerialtcpServerTunnel {
  const listen = { host: "127.0.0.1", port: 0 }
  return {
    type: "serialtcp-server",
    listen,
    device: "local/pty",
    allow: null,
    whenBusy: "queue",
    ...cable,
    ...changes,
  }
}

/** The end at `local/far`. For tests. */
export function clientTunnel(
  port: number,
  changes: Partial<SerialtcpClientTunnel> = {},
): SerialtcpClientTunnel {
  const connect = { host: "127.0.0.1", port }
  return { type: "serialtcp-client", connect, device: "local/far", ...cable, ...changes }
}

/** What the client's end dials. For tests. */
export interface TestTarget extends AsyncDisposable {
  readonly port: number
  readonly sockets: readonly Socket[]
  /** The next connection, read by nobody yet. */
  accept(): Promise<Socket>
}

export async function startTarget(serve: (socket: Socket) => void = () => {}): Promise<TestTarget> {
  const sockets: Socket[] = []
  const came = createWakeup()
  let taken = 0
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    socket.on("error", () => {})
    sockets.push(socket)
    serve(socket)
    came.wake()
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  // It is listening on TCP.
  const { port } = server.address() as AddressInfo
  return {
    port,
    sockets,
    async accept() {
      const limit = { timeout: { clock: systemClock, ms: 10_000 } }
      for (;;) {
        const next = sockets[taken]
        if (next !== undefined) {
          taken++
          return next
        }
        if ((await came.wait(limit)) === "timeout") throw new Error("Nobody connected to the target.")
      }
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, "close")
    },
  }
}

/** Gives what comes from one terminal, and came already, to the other, until either is unplugged. Nobody else reads it. */
export async function relay(from: PtyDevice, to: Pick<PtyDevice, "write">): Promise<void> {
  const timeoutMs = 600_000
  let taken = 0
  try {
    for (;;) {
      const [first] = await from.read(1, { timeoutMs })
      taken += 1
      const rest = await from.read(from.received - taken, { timeoutMs })
      taken += rest.byteLength
      const bytes = new Uint8Array(1 + rest.byteLength)
      bytes[0] = first ?? 0
      bytes.set(rest, 1)
      await to.write(bytes, { timeoutMs })
    }
  } catch {
    // Unplugged.
  }
}

export interface TestCable extends AsyncDisposable {
  readonly running: TestAll
  readonly far: PtySocket
  /** Plugs the far end in, again, and joins it to the near one. */
  plugIn(): Promise<void>
  /** Resolves when both ends have found each other. */
  untilIdle(): Promise<void>
}

/** A server's end and a client's end that dials `port`, each with a terminal, and the cable between them. */
export async function startCable(
  port: number,
  server: Partial<SerialtcpServerTunnel> = {},
  client: Partial<SerialtcpClientTunnel> = {},
): Promise<TestCable> {
  const far = createPtySocket()
  let farPty = await far.plugIn()
  const running = await startTestAll(
    {},
    { devices: { far: deviceAt(far.path) }, tunnels: [serverTunnel(server), clientTunnel(port, client)] },
  )
  void relay(running.pty, { write: (bytes, options) => farPty.write(bytes, options).catch(() => {}) })
  void relay(farPty, running.pty)
  return {
    running,
    far,
    async plugIn() {
      farPty = await far.plugIn()
      void relay(farPty, running.pty)
    },
    async untilIdle() {
      await eventually(() => {
        const links = running.all.served().tunnels.map(({ link }) => link)
        if (links.some((link) => link !== "idle")) throw new Error(`The ends are ${links.join(" and ")}.`)
      })
    },
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]()
      await far[Symbol.asyncDispose]()
    },
  }
}
