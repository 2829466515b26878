import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { createTemporaryFolder, freePort } from "@serialcast/testkit"
import { createKillableService, type KillableService } from "../../testing/killable-service.ts"
import { type PluggedBoard, startPluggedBoard } from "./plugged-board.ts"

/** `local/board` and all that serves its files, each service in a process of its own. */
export interface BoardProcesses extends AsyncDisposable {
  readonly board: PluggedBoard
  readonly broker: KillableService
  readonly webrepl: KillableService
  /** `host:port` */
  readonly webreplAt: string
  readonly mqttUrl: string
  /** Of the device, without a slash at its end. */
  readonly httpUrl: string
  readonly folder: string
  /** Rejects when a service ended that nobody killed. */
  readonly failed: Promise<never>
}

const free = "127.0.0.1:0"

/** The password is `a long secret`. */
export async function startBoardProcesses(): Promise<BoardProcesses> {
  const board = await startPluggedBoard()
  const folder = createTemporaryFolder()
  const [brokerPort, httpPort, webreplPort] = [await freePort(), await freePort(), await freePort()]
  const config = join(folder.path, "serialcast.yaml")
  await writeFile(
    config,
    `devices: { board: { port: "tcp://127.0.0.1:${board.port}" } }
journal: { dir: ${folder.path}/journal, maxBytes: 64MiB }
discover: off
webrepl: [{ listen: "127.0.0.1:${webreplPort}", device: local/board, password: { text: a long secret } }]
`,
  )
  const mqttUrl = `mqtt://127.0.0.1:${brokerPort}`
  const env = {
    SERIALCAST_CONFIG: config,
    SERIALCAST_ADMIN_LISTEN: free,
    SERIALCAST_LOG_LEVEL: "error",
    SERIALCAST_BROKER_LISTEN: `127.0.0.1:${brokerPort}`,
    SERIALCAST_BROKER_WEBSOCKET: free,
    SERIALCAST_BROKER_DIR: join(folder.path, "broker"),
    SERIALCAST_BROKER_URL: mqttUrl,
    SERIALCAST_HTTP_LISTEN: `127.0.0.1:${httpPort}`,
  }
  const service = (name: string) => createKillableService(name, env)
  const [broker, agent, http, webrepl] = [
    service("broker"),
    service("serial-agent"),
    service("http-gateway"),
    service("webrepl"),
  ] as const
  const services = [broker, agent, http, webrepl]
  for (const one of services) one.start()
  return {
    board,
    broker,
    webrepl,
    webreplAt: `127.0.0.1:${webreplPort}`,
    mqttUrl,
    httpUrl: `http://127.0.0.1:${httpPort}/api/v1/devices/local/board`,
    folder: folder.path,
    failed: Promise.race(services.map(({ failed }) => failed)),
    async [Symbol.asyncDispose]() {
      for (const one of services.toReversed()) await one.kill()
      await board[Symbol.asyncDispose]()
      folder[Symbol.dispose]()
    },
  }
}
