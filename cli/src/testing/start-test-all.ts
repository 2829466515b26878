import { join } from "node:path"
import type { Framing } from "@serialcast/contract"
import { systemClock } from "@serialcast/primitives"
import { deviceAt } from "@serialcast/serial-agent"
import { type Config, createLogger, createMetrics, loadConfig, type Registry } from "@serialcast/service-kit"
import { createTemporaryFolder, openPty, type PtyDevice } from "@serialcast/testkit"
import { type RunningAll, startAll } from "../up/start-all.ts"

export interface TestAll extends AsyncDisposable {
  readonly all: RunningAll
  /** What all services count. */
  readonly metrics: Registry
  /** The device `local/pty`, the default one. */
  readonly pty: PtyDevice
  /** Without a slash at their ends. */
  readonly httpUrl: string
  readonly consoleUrl: string
  readonly resourcesUrl: string
  readonly mqttUrl: string
  readonly httpPort: number
}

interface Change extends Partial<Pick<Config, "devices" | "tunnels" | "webrepl">> {
  /** What is not named here is as by default. */
  readonly resources?: Partial<Config["resources"]>
}

/**
 * Everything in this process on free ports, with a pseudo-terminal as its only device, open, unless `change` has others
 * besides. For tests.
 */
export async function startTestAll(
  env: Readonly<Record<string, string>> = {},
  change: Change = {},
  framing: Framing | null = null,
): Promise<TestAll> {
  const pty = await openPty()
  const folder = createTemporaryFolder()
  const free = "127.0.0.1:0"
  const listeners = ["HTTP", "RESOURCES", "CONSOLE", "ADMIN", "BROKER"].map((name) => [
    `SERIALCAST_${name}_LISTEN`,
    free,
  ])
  const defaults = loadConfig({
    env: {
      ...Object.fromEntries(listeners),
      SERIALCAST_BROKER_WEBSOCKET: free,
      SERIALCAST_DISCOVER: "off",
      SERIALCAST_JOURNAL_DIR: join(folder.path, "journal"),
      SERIALCAST_BROKER_DIR: join(folder.path, "broker"),
      ...env,
    },
  })
  const config = {
    ...defaults,
    ...change,
    resources: { ...defaults.resources, ...change.resources },
    devices: { ...change.devices, pty: { ...deviceAt(pty.path), framing } },
  }
  const log = createLogger({ name: "test", level: "error" })
  const metrics = createMetrics()
  const all = await startAll(config, { log, clock: systemClock, metrics, token: null })
  await untilOnline(all, "local/pty")
  pty.releaseSlave()
  const { http, console, resources, broker } = all.served()
  return {
    all,
    metrics,
    pty,
    httpUrl: `http://127.0.0.1:${http.port}`,
    consoleUrl: `http://127.0.0.1:${console.port}`,
    resourcesUrl: `http://127.0.0.1:${resources.address.port}`,
    mqttUrl: `mqtt://127.0.0.1:${broker?.mqtt.port}`,
    httpPort: http.port,
    async [Symbol.asyncDispose]() {
      await all.stop()
      await pty[Symbol.asyncDispose]()
      folder[Symbol.dispose]()
    },
  }
}

/** Resolves when the device's port is open. */
function untilOnline({ devices: { devices } }: RunningAll, address: string): Promise<void> {
  return untilState({ devices }, address, true)
}

export function untilOffline({ devices: { devices } }: RunningAll, address: string): Promise<void> {
  return untilState({ devices }, address, false)
}

function untilState(
  { devices }: Pick<RunningAll["devices"], "devices">,
  address: string,
  online: boolean,
): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (devices.get(address)?.online !== online) return
      forget()
      resolve()
    }
    const forget = devices.onChange(look)
    look()
  })
}
