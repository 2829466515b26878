import type { DeviceClient } from "@serialcast/device-stream"
import { systemClock } from "@serialcast/primitives"
import { createLogger, createMetrics, loadConfig, type WebreplConfig } from "@serialcast/service-kit"
import { connectWebrepl, type WebreplClient, type WebreplClientKind } from "@serialcast/testkit"
import { onTestFinished } from "vitest"
import type { ListenerState } from "../listen/board-listener.ts"
import { createWebrepl } from "../service.ts"
import { MemoryBoard } from "./memory-board.ts"

const testBoard: WebreplConfig = {
  listen: { host: "127.0.0.1", port: 0 },
  device: "local/uno",
  password: { text: "secret" },
  watchers: 0,
  takeOver: false,
  staticHost: null,
  debug: false,
  tls: null,
}

/** No gateway has announced a device: for what works without one. */
export const noDevices: DeviceClient = {
  isConnected: true,
  tunnels: { list: () => [], onChange: () => () => {} },
  devices: { list: () => [], get: () => undefined, onChange: () => () => {} },
  device() {
    throw new RangeError("there is no device")
  },
  whenReady: () => Promise.resolve(),
  close: () => Promise.resolve(),
}

export interface TestServiceOptions {
  readonly pageDir?: string
  /** The certificate through which clients come. */
  readonly ca?: string
  readonly devices?: DeviceClient
}

/** The service with a listener on a free port, and a board in memory behind it. */
export async function startTestService(
  changes: Partial<WebreplConfig> = {},
  { pageDir = "/nowhere", ca, devices = noDevices }: TestServiceOptions = {},
) {
  const board = new MemoryBoard()
  const log = createLogger({ name: "test", level: "silent" })
  const metrics = createMetrics()
  const config = { ...loadConfig({ env: {} }), webrepl: [{ ...testBoard, ...changes }] }
  const boards = () => board.use
  const deps = { log, clock: systemClock, metrics, token: null, devices, boards, pageDir }
  const service = await createWebrepl(config, deps)
  onTestFinished(() => service.stop())
  const state = (): ListenerState => {
    const [listener] = service.listeners()
    if (listener === undefined) throw new RangeError("there is no listener")
    return listener
  }
  const { endpoint } = state()
  const connect = async (kind?: WebreplClientKind): Promise<WebreplClient> => {
    const client = await connectWebrepl(endpoint, kind, ca === undefined ? {} : { ca })
    onTestFinished(() => void client.socket.destroy())
    return client
  }
  return { service, board, metrics, endpoint, state, connect }
}
