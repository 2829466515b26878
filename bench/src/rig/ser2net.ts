import { once } from "node:events"
import { readdir, readlink, writeFile } from "node:fs/promises"
import { createServer } from "node:net"
import { join } from "node:path"
import { eventually } from "@serialcast/testkit"
import type { Consumer, LoadDevice } from "./load.ts"
import { startProgram } from "./program.ts"

const program = "/usr/sbin/ser2net"

/** How ser2net is set: as it comes, or for speed (its buffers are 64 bytes, and it waits for more characters). */
export type Ser2netTuning = "default" | "tuned"

const options: Readonly<Record<Ser2netTuning, string>> = {
  default: "{}",
  tuned: "{ chardelay: false, dev-to-net-bufsize: 65536, net-to-dev-bufsize: 65536 }",
}

/** ser2net serving one device to one client. */
export interface Ser2net extends AsyncDisposable {
  readonly pid: number
  readonly consumer: Consumer
}

/** null where ser2net is not installed. */
export async function startSer2net(
  device: LoadDevice,
  tuning: Ser2netTuning,
  folder: string,
): Promise<Ser2net | null> {
  const port = await findFreePort()
  const file = join(folder, `ser2net-${port}.yaml`)
  await writeFile(file, configuration(device.path, port, options[tuning]))
  // -n: in the foreground; -u: without a lock file.
  const running = await startProgram(program, ["-n", "-u", "-c", file]).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return null
      throw error
    },
  )
  if (running === null) return null
  const consumer = await eventually(() => device.connect({ protocol: "raw", port, target: "-" }))
  // It opens the port for its first client, and throws away what was sent before.
  await eventually(() => checkOpen(running.pid, device.path))
  return { pid: running.pid, consumer, [Symbol.asyncDispose]: () => running[Symbol.asyncDispose]() }
}

function configuration(path: string, port: number, tuning: string): string {
  return [
    "connection: &bench",
    `  accepter: tcp,127.0.0.1,${port}`,
    `  connector: serialdev,${path},115200N81,local`,
    `  options: ${tuning}`,
    "",
  ].join("\n")
}

async function checkOpen(pid: number, path: string): Promise<void> {
  const folder = `/proc/${pid}/fd`
  const files = await readdir(folder)
  const open = await Promise.all(files.map((file) => readlink(join(folder, file)).catch(() => "")))
  if (!open.includes(path)) throw new Error(`ser2net did not open ${path}`)
}

/** ser2net does not say which port the system chose. */
async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  server.close()
  await once(server, "close")
  if (address === null || typeof address === "string") throw new Error("a TCP server has no port")
  return address.port
}
