import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { createTemporaryFolder, freePort } from "@serialcast/testkit"
import { createKillableService, type KillableService } from "../../testing/killable-service.ts"

/** A broker and resource servers at it, each in a process of its own. */
export interface ResourceProcesses extends AsyncDisposable {
  readonly broker: KillableService
  readonly servers: readonly KillableService[]
  /** Of each server, without a slash at its end. */
  readonly urls: readonly string[]
  readonly mqttUrl: string
  /** Rejects when a process ended that nobody killed. */
  readonly failed: Promise<never>
}

export interface ResourceProcessesOptions {
  readonly servers: number
  readonly maxUri?: number
  /** Files in PEM. */
  readonly tls?: { readonly cert: string; readonly key: string }
}

const free = "127.0.0.1:0"

export async function startResourceProcesses({
  servers: count,
  maxUri = 100,
  tls,
}: ResourceProcessesOptions): Promise<ResourceProcesses> {
  const folder = createTemporaryFolder()
  const config = join(folder.path, "serialcast.yaml")
  await writeFile(config, JSON.stringify({ resources: { maxUri, ...(tls === undefined ? {} : { tls }) } }))
  const brokerPort = await freePort()
  const mqttUrl = `mqtt://127.0.0.1:${brokerPort}`
  const env = {
    SERIALCAST_CONFIG: config,
    SERIALCAST_ADMIN_LISTEN: free,
    SERIALCAST_LOG_LEVEL: "error",
    SERIALCAST_BROKER_LISTEN: `127.0.0.1:${brokerPort}`,
    SERIALCAST_BROKER_WEBSOCKET: free,
    SERIALCAST_BROKER_DIR: join(folder.path, "broker"),
  }
  const broker = createKillableService("broker", env)
  const ports: number[] = []
  while (ports.length < count) ports.push(await freePort())
  const servers = ports.map((port) =>
    createKillableService("resource-server", { ...env, SERIALCAST_RESOURCES_LISTEN: `127.0.0.1:${port}` }),
  )
  const all = [broker, ...servers]
  for (const one of all) one.start()
  return {
    broker,
    servers,
    urls: ports.map((port) => `${tls === undefined ? "http" : "https"}://localhost:${port}`),
    mqttUrl,
    failed: Promise.race(all.map(({ failed }) => failed)),
    async [Symbol.asyncDispose]() {
      for (const one of all.toReversed()) await one.kill()
      folder[Symbol.dispose]()
    },
  }
}
