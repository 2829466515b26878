import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { createFaultProxy, type FaultProxy, freePort } from "@serialcast/testkit"
import { type RunningProgram, startProgram } from "../program.ts"

const mainOf = (service: string) =>
  fileURLToPath(new URL(`../../../services/${service}/dist/main.js`, import.meta.url))
const free = "127.0.0.1:0"

/** A service in a process of its own, which can be killed and started again. */
export interface KillableService {
  /** SIGKILL: it gets no chance to do anything more. */
  kill(): Promise<void>
  start(): void
}

/** Broker and agent as they are built, each in its own process, the agent behind a network that can fail. */
export interface ProcessStack extends AsyncDisposable {
  readonly folder: string
  readonly brokerPort: number
  readonly broker: KillableService
  readonly agent: KillableService
  /** agent ⇄ broker */
  readonly network: FaultProxy
  /** Rejects when a service ended that nobody killed. */
  readonly failed: Promise<never>
}

/** The agent's only device is `local/board`, a link to the terminal at `path`. */
export async function startProcessStack(path: string, journal: string): Promise<ProcessStack> {
  const folder = await mkdtemp(join(tmpdir(), "serialcast-faults-"))
  await symlink(path, join(folder, "board"))
  const config = join(folder, "serialcast.yaml")
  await writeFile(
    config,
    `devices: { board: { port: ${folder}/board } }\njournal: ${journal}\ndiscover: off\n`,
  )
  const brokerPort = await freePort()
  const network = await createFaultProxy({ target: { host: "127.0.0.1", port: brokerPort } })
  const shared = {
    SERIALCAST_CONFIG: config,
    SERIALCAST_ADMIN_LISTEN: free,
    SERIALCAST_LOG_LEVEL: "error",
    UV_THREADPOOL_SIZE: "16",
  }
  let fail: (error: Error) => void = () => {}
  const failed = new Promise<never>((_, reject) => (fail = reject))
  failed.catch(() => {})
  const createService = (name: string, env: Readonly<Record<string, string>>) =>
    createKillable(name, { cwd: folder, env, onFailed: fail })
  const broker = createService("broker", {
    ...shared,
    SERIALCAST_BROKER_LISTEN: `127.0.0.1:${brokerPort}`,
    SERIALCAST_BROKER_WEBSOCKET: free,
  })
  const agent = createService("serial-agent", {
    ...shared,
    SERIALCAST_BROKER_URL: `mqtt://${network.host}:${network.port}`,
  })
  broker.start()
  agent.start()
  return {
    folder,
    brokerPort,
    broker,
    agent,
    network,
    failed,
    async [Symbol.asyncDispose]() {
      await agent.kill()
      await broker.kill()
      await network[Symbol.asyncDispose]()
      await rm(folder, { recursive: true })
    },
  }
}

interface KillableOptions {
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  readonly onFailed: (error: Error) => void
}

function createKillable(name: string, { cwd, env, onFailed }: KillableOptions): KillableService {
  let running: RunningProgram | null = null
  return {
    start() {
      const program = startProgram(process.execPath, [mainOf(name)], () => {}, { cwd, env })
      running = program
      void program.ended.then(({ code, signal, said }) => {
        if (signal !== "SIGKILL") onFailed(new Error(`${name} ended with ${code ?? signal}: ${said}`))
      })
    },
    async kill() {
      running?.kill()
      await running?.ended
      running = null
    },
  }
}
