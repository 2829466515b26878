import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { createDeferred, systemClock, withDeadline } from "@serialcast/primitives"
import { eventually } from "@serialcast/testkit"
import { expect } from "vitest"
import { startProgram } from "./program.ts"

const main = fileURLToPath(new URL("../../cli/dist/main.js", import.meta.url))
const startTimeoutMs = 30_000
const free = "127.0.0.1:0"
const ownBroker = `broker: { listen: "${free}", websocket: "${free}" }`

export interface AllInOne extends AsyncDisposable {
  /** Where it runs and its `serialcast.yaml` lies. */
  readonly folder: string
  /** Ends with a slash. */
  readonly pageUrl: string
  /** Ends without a slash. */
  readonly httpUrl: string
  readonly mqttUrl: string
  /** Of the resource server, without a slash at its end. */
  readonly resourcesUrl: string
  untilOnline(address: string): Promise<void>
  /** SIGKILL. */
  kill(): void
}

/**
 * `serialcast up` as it is built, in a process and a folder of its own, on free ports; where the configuration has `resources`, it
 * says itself where those are.
 */
export async function startAllInOne(
  devicesIn: (folder: string) => string | Promise<string>,
  broker: string = ownBroker,
): Promise<AllInOne> {
  const folder = await mkdtemp(join(tmpdir(), "serialcast-e2e-"))
  const listeners = ["http", "console", "admin"].map((name) => `${name}: { listen: "${free}" }`)
  const devices = await devicesIn(folder)
  const resources = /^resources:/m.test(devices) ? "" : `resources: { listen: "${free}" }`
  const config = [devices, "discover: off", broker, resources, ...listeners].join("\n")
  await writeFile(join(folder, "serialcast.yaml"), config)
  const banner = createDeferred<string>()
  let output = ""
  const running = startProgram(
    process.execPath,
    [main, "up"],
    (line) => {
      output += `${line}\n`
      if (line.includes("Ctrl-C stops it")) banner.resolve(output)
    },
    { cwd: folder },
  )
  void running.ended.then(({ said }) => banner.reject(new Error(`serialcast up ended: ${said}`)))
  const error = () => new Error(`serialcast up was not ready within ${startTimeoutMs} ms`)
  const text = await withDeadline(banner.promise, { clock: systemClock, timeoutMs: startTimeoutMs, error })
  const httpUrl = find(text, /HTTP +(http:\S+)\/api/)
  return {
    folder,
    pageUrl: find(text, /Page +(http:\S+)/),
    httpUrl,
    mqttUrl: find(text, /MQTT +(mqtt:\S+)/),
    resourcesUrl: find(text, /Resources +(https?:\S+)\/api/),
    kill: () => running.kill(),
    async untilOnline(address) {
      await eventually(
        async () => {
          const response = await fetch(`${httpUrl}/api/v1/devices/${address}`)
          expect(await response.json()).toMatchObject({ online: true })
        },
        { timeoutMs: startTimeoutMs },
      )
    },
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]()
      await rm(folder, { recursive: true })
    },
  }
}

function find(text: string, pattern: RegExp): string {
  const found = pattern.exec(text)?.[1]
  if (found === undefined) throw new Error(`expected ${pattern} in ${JSON.stringify(text)}`)
  return found
}
