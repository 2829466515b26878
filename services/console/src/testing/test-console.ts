import { once } from "node:events"
import { type Clock, createWakeup, systemClock } from "@serialcast/primitives"
import { createLogger, createMetrics, loadConfig } from "@serialcast/service-kit"
import { type ClientOptions, WebSocket } from "ws"
import { createConsole, type RunningConsole } from "../service.ts"
import { toBytes, toText } from "../socket/raw-data.ts"
import { decodeBytesFrame, decodeServerMessage, type ServerMessage, subProtocol } from "../wire/frames.ts"
import { FakeDevices } from "./fake-devices.ts"

export interface TestConsole extends AsyncDisposable {
  readonly running: RunningConsole
  readonly devices: FakeDevices
  readonly metrics: ReturnType<typeof createMetrics>
  /** Without a slash at its end. */
  readonly url: string
  connect(path: string, options?: ConnectOptions): Promise<TestSocket>
}

export interface TestConsoleOptions {
  readonly token?: string
  readonly clock?: Clock
  readonly pageDir?: string
}

export interface ConnectOptions extends ClientOptions {
  readonly protocol?: string
}

/** A real console on a free port, with devices in memory. For tests. */
export async function startTestConsole(options: TestConsoleOptions = {}): Promise<TestConsole> {
  const { token = null, clock = systemClock, pageDir } = options
  const devices = new FakeDevices()
  devices.setState({})
  const config = loadConfig({
    env: { SERIALCAST_CONSOLE_LISTEN: "127.0.0.1:0", SERIALCAST_HTTP_DEFAULT_DEVICE: "local/uno" },
  })
  const log = createLogger({ name: "console", level: "error" })
  const metrics = createMetrics()
  const deps = { log, clock, metrics, token, devices }
  const running = await createConsole(config, pageDir === undefined ? deps : { ...deps, pageDir })
  const url = `http://127.0.0.1:${running.address.port}`
  return {
    running,
    devices,
    metrics,
    url,
    connect: (path, connectOptions) => connect(`ws${url.slice(4)}${path}`, connectOptions),
    [Symbol.asyncDispose]: () => running.stop(),
  }
}

/** A WebSocket client whose frames are waited for one by one. */
export interface TestSocket {
  readonly socket: WebSocket
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>
  text(): Promise<string>
  message(): Promise<ServerMessage | undefined>
  bytes(): Promise<{ readonly offset: number; readonly bytes: Uint8Array }>
}

async function connect(url: string, { protocol, ...options }: ConnectOptions = {}): Promise<TestSocket> {
  const socket = new WebSocket(url, protocol === undefined ? [] : [protocol], options)
  const frames: (string | Uint8Array)[] = []
  const arrived = createWakeup()
  socket.on("message", (data, isBinary) => {
    frames.push(isBinary ? toBytes(data) : toText(data))
    arrived.wake()
  })
  const closed = new Promise<{ code: number; reason: string }>((resolve) =>
    socket.once("close", (code, reason) => resolve({ code, reason: reason.toString() })),
  )
  await once(socket, "open")
  const next = async () => {
    for (;;) {
      const frame = frames.shift()
      if (frame !== undefined) return frame
      await arrived.wait()
    }
  }
  const text = async () => {
    const frame = await next()
    if (typeof frame !== "string") throw new TypeError("expected a text frame, found a binary one")
    return frame
  }
  return {
    socket,
    closed,
    text,
    message: async () => decodeServerMessage(await text()),
    async bytes() {
      const frame = await next()
      const decoded = typeof frame === "string" ? undefined : decodeBytesFrame(frame)
      if (decoded === undefined) throw new TypeError(`expected a binary frame, found ${String(frame)}`)
      return decoded
    },
  }
}

export const streamProtocol = { protocol: subProtocol } as const
