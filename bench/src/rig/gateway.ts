import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { createDeferred, systemClock, withDeadline } from "@serialcast/primitives"
import { eventually } from "@serialcast/testkit"
import type { Endpoint } from "./load.ts"
import { startProgram } from "./program.ts"

const startTimeoutMs = 30_000
const free = "127.0.0.1:0"
/** Node collects in its own time, which while nothing happens is never. */
const collectAtSignal = ["--expose-gc", "--import", 'data:text/javascript,process.on("SIGUSR2",()=>gc())']
/** A collection of some hundred megabytes is over then, on a busy machine too. */
const collectMs = 2_000

export interface GatewayOptions {
  /** The device's ports; they are called `d0`, `d1`, … */
  readonly ports: readonly string[]
  /** Like `64MiB`. */
  readonly journalSize?: string
  /** Journals of an earlier gateway; default: an empty folder. */
  readonly journals?: string
  /** Entries of `tunnels`, as the configuration has them. */
  readonly tunnels?: readonly Readonly<Record<string, string | number>>[]
  /** Entries of `webrepl`. */
  readonly boards?: readonly Readonly<Record<string, unknown>>[]
  /** `resources`, but for where it listens. */
  readonly resources?: Readonly<Record<string, string | number>>
  /** What the broker of an earlier gateway kept; default: an empty folder. */
  readonly retained?: string
  /** `broker.clientBufferBytes`. */
  readonly clientBuffer?: string
  /** Whether it collects garbage when it is told to; default: in its own time, as it is shipped. */
  readonly canCollect?: boolean
  /** Default: `warn`. */
  readonly logLevel?: "info" | "warn"
  /** Hears each line of its log. */
  readonly onLog?: (line: string) => void
}

export interface GatewayPlace {
  /** The built `main.js` of the command line. */
  readonly main: string
  /** An own one for this process. */
  readonly folder: string
  /** For Node itself. */
  readonly nodeOptions: readonly string[]
}

/** `serialcast up` in a process of its own, with its devices open. */
export interface Gateway extends AsyncDisposable {
  readonly pid: number
  readonly journalFolder: string
  /** The stream of device `d<number>` under `serialcast.v1`, or as server-sent events of hex. */
  webSocket(number: number, from?: string): Endpoint
  events(number: number): Endpoint
  /** The bare bytes of device `d<number>` as they are published. */
  subscription(number: number): Endpoint
  /** Where its HTTP API, its page and its metrics are; they have no slash at their end. */
  readonly httpUrl: string
  readonly pageUrl: string
  readonly adminUrl: string
  /** Of resources. */
  readonly resourcesUrl: string
  /** Of MQTT over TCP. */
  readonly brokerPort: number
  /** Of MQTT over WebSocket. */
  readonly brokerWebSocketPort: number
  /** What it holds for nothing is given back then. Needs `canCollect`. */
  collectGarbage(): Promise<void>
  /** Resolves with a sentence on how it ended. */
  readonly ended: Promise<string>
  /** With SIGKILL. */
  kill(): Promise<void>
}

export async function startGateway(
  options: GatewayOptions,
  { main, folder, nodeOptions }: GatewayPlace,
): Promise<Gateway> {
  await mkdir(folder)
  const journalFolder = options.journals ?? join(folder, "journal")
  await writeFile(join(folder, "serialcast.yaml"), configuration(options, journalFolder))
  const banner = createDeferred<string>()
  let output = ""
  const collecting = options.canCollect === true ? collectAtSignal : []
  const running = await startProgram(process.execPath, [...nodeOptions, ...collecting, main, "up"], {
    cwd: folder,
    onErrorLine: options.onLog,
    onLine(line) {
      output += `${line}\n`
      if (line.includes("Ctrl-C stops it")) banner.resolve(output)
    },
  })
  void running.ended.then((how) => banner.reject(new Error(how)))
  const error = () => new Error(`serialcast up was not ready within ${startTimeoutMs} ms: ${output}`)
  const text = await withDeadline(banner.promise, { clock: systemClock, timeoutMs: startTimeoutMs, error })
  const page = new URL(find(text, /Page +(http:\S+)/))
  const httpUrl = find(text, /HTTP +(http:\S+)\/api/)
  const brokerPort = Number(find(text, /MQTT +mqtt:\S+?:(\d+)/))
  await eventually(() => checkOnline(httpUrl, options.ports.length), { timeoutMs: startTimeoutMs })
  return {
    pid: running.pid,
    journalFolder,
    httpUrl,
    pageUrl: page.origin,
    resourcesUrl: find(text, /Resources +(http:\S+)\/api/),
    adminUrl: find(text, /Health +(http:\S+)\/readyz/),
    brokerPort,
    brokerWebSocketPort: Number(find(text, /ws:\S+?:(\d+) for browsers/)),
    webSocket: (number, from = "now") => ({
      protocol: "websocket",
      port: Number(page.port),
      target: `/ws?device=local/d${number}&from=${from}`,
    }),
    events: (number) => ({
      protocol: "sse",
      port: Number(new URL(httpUrl).port),
      target: `/api/v1/devices/local/d${number}/stream`,
    }),
    subscription: (number) => ({
      protocol: "mqtt",
      port: brokerPort,
      target: `serialcast/local/d${number}/rx`,
    }),
    collectGarbage: () => collectGarbage(running.pid, options),
    ended: running.ended,
    async kill() {
      process.kill(running.pid, "SIGKILL")
      await running.ended
    },
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  }
}

async function collectGarbage(pid: number, { canCollect = false }: GatewayOptions): Promise<void> {
  if (!canCollect) throw new Error("expected a gateway with `canCollect`")
  // What the first one finalizes, the second one frees.
  for (let count = 0; count < 2; count++) {
    process.kill(pid, "SIGUSR2")
    await sleep(collectMs)
  }
}

function configuration(
  {
    ports,
    journalSize = "64MiB",
    tunnels = [],
    boards = [],
    resources = {},
    retained,
    clientBuffer,
    logLevel = "warn",
  }: GatewayOptions,
  journalFolder: string,
): string {
  const listeners = ["http", "console", "admin"].map((name) => `${name}: { listen: "${free}" }`)
  const devices = ports.map((port, number) => `  d${number}: { port: "${port}" }`)
  return [
    ...listeners,
    `broker: ${JSON.stringify({ listen: free, websocket: free, dir: retained, clientBufferBytes: clientBuffer })}`,
    `resources: ${JSON.stringify({ listen: free, ...resources })}`,
    `journal: { dir: "${journalFolder}", maxBytes: ${journalSize} }`,
    "discover: off",
    `log: { level: ${logLevel} }`,
    ...(devices.length === 0 ? [] : ["devices:", ...devices]),
    // YAML holds JSON. Builds without tunnels do not know the key.
    ...(tunnels.length === 0 ? [] : [`tunnels: ${JSON.stringify(tunnels)}`]),
    ...(boards.length === 0 ? [] : [`webrepl: ${JSON.stringify(boards)}`]),
    "",
  ].join("\n")
}

async function checkOnline(httpUrl: string, count: number): Promise<void> {
  const response = await fetch(`${httpUrl}/api/v1/devices`)
  const states = JSON.stringify(await response.json())
  const online = states.split('"online":true').length - 1
  if (online < count) throw new Error(`${online} of ${count} devices are online: ${states.slice(0, 1_000)}`)
}

function find(text: string, pattern: RegExp): string {
  const found = pattern.exec(text)?.[1]
  if (found === undefined) throw new Error(`expected ${pattern} in ${JSON.stringify(text)}`)
  return found
}
