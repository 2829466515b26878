import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { createDeferred, systemClock, withDeadline } from "@serialcast/primitives"
import { startProgram } from "./program.ts"

const main = fileURLToPath(new URL("../../cli/dist/main.js", import.meta.url))
const startTimeoutMs = 30_000
const free = "127.0.0.1:0"

export interface AllInOne extends AsyncDisposable {
  /** Where it runs and its `serialcast.yaml` lies. */
  readonly folder: string
  readonly pageUrl: string
}

/** `serialcast up` as it is built, in a process and a folder of its own, on free ports. */
export async function startAllInOne(devicesIn: (folder: string) => string): Promise<AllInOne> {
  const folder = await mkdtemp(join(tmpdir(), "serialcast-e2e-"))
  const listeners = ["http", "console", "admin"].map((name) => `${name}: { listen: "${free}" }`)
  const broker = `broker: { listen: "${free}", websocket: "${free}" }`
  await writeFile(
    join(folder, "serialcast.yaml"),
    [devicesIn(folder), "discover: off", broker, ...listeners].join("\n"),
  )
  const page = createDeferred<string>()
  const running = startProgram(
    process.execPath,
    [main, "up"],
    (line) => {
      const url = /Page +(http:\S+)/.exec(line)?.[1]
      if (url !== undefined) page.resolve(url)
    },
    { cwd: folder },
  )
  void running.ended.then((said) => page.reject(new Error(`serialcast up ended: ${said}`)))
  const error = () => new Error(`serialcast up did not say where its page is within ${startTimeoutMs} ms`)
  return {
    folder,
    pageUrl: await withDeadline(page.promise, { clock: systemClock, timeoutMs: startTimeoutMs, error }),
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]()
      await rm(folder, { recursive: true })
    },
  }
}
