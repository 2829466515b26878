import { once } from "node:events"
import { connect, createServer, type Socket } from "node:net"
import { createWakeup, delay, systemClock } from "@serialcast/primitives"
import { type PtyDevice, SerialtcpProgram, type SerialtcpRole, type SerialtcpTcp } from "@serialcast/testkit"
import { relay } from "./serialtcp-cable.ts"

/** The existing program at the other end of a terminal, over real TCP. For tests. */
export interface RunningOriginal extends AsyncDisposable {
  /** Where its server listens; 0 of a client. */
  readonly port: number
}

/** One that dials `port`. */
export async function startOriginalClient(pty: PtyDevice, port: number): Promise<RunningOriginal> {
  const ended = new AbortController()
  const running = run(pty, ended.signal, {
    role: "client",
    dial: async () => await dial(port),
  })
  return { port: 0, [Symbol.asyncDispose]: () => end(ended, running) }
}

/** One that listens on a free port. */
export async function startOriginalServer(pty: PtyDevice): Promise<RunningOriginal> {
  const ended = new AbortController()
  const backlog: Socket[] = []
  const server = createServer({ allowHalfOpen: true }, (socket) => backlog.push(socket))
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const accept = async (timeoutMs: number) => {
    for (let waitedMs = 0; backlog.length === 0 && waitedMs < timeoutMs; waitedMs += 10)
      await delay(systemClock, 10, ended.signal)
    const socket = backlog.shift()
    return socket === undefined ? null : asOriginalTcp(socket)
  }
  const running = run(pty, ended.signal, { role: "server", accept })
  const address = server.address()
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    async [Symbol.asyncDispose]() {
      await end(ended, running)
      for (const socket of backlog) socket.destroy()
      server.close()
    },
  }
}

function run(pty: PtyDevice, signal: AbortSignal, role: SerialtcpRole): Promise<void> {
  const write = (bytes: Uint8Array) => void pty.write(bytes, { timeoutMs: 60_000 }).catch(() => {})
  const program = new SerialtcpProgram(role, { clock: systemClock, signal, write })
  void relay(pty, { write: async (bytes) => program.receive(bytes) })
  return program.run()
}

async function end(ended: AbortController, running: Promise<void>): Promise<void> {
  ended.abort()
  await running
}

function dial(port: number): Promise<SerialtcpTcp | null> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port, allowHalfOpen: true })
    socket.once("connect", () => resolve(asOriginalTcp(socket)))
    socket.once("error", () => resolve(null))
  })
}

function asOriginalTcp(socket: Socket): SerialtcpTcp {
  const news = createWakeup()
  let isEnded = false
  for (const event of ["readable", "close"]) socket.on(event, () => news.wake())
  socket.on("end", () => {
    isEnded = true
    news.wake()
  })
  socket.on("error", () => {})
  return {
    async read(timeoutMs) {
      for (const limit of [true, false]) {
        const waiting = socket.readableLength
        const bytes: Uint8Array | null = waiting === 0 ? socket.read() : socket.read(Math.min(waiting, 4_096))
        if (bytes !== null) return bytes
        if (isEnded || socket.destroyed) return "ended"
        if (limit) await news.wait({ timeout: { clock: systemClock, ms: timeoutMs } })
      }
      return "timeout"
    },
    write: (bytes) => void socket.write(bytes),
    close: () => void socket.end(),
  }
}
