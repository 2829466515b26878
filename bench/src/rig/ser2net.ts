import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { eventually, freePort } from "@serialcast/testkit"
import type { Consumer, LoadDevice } from "./load.ts"
import { openFiles } from "./open-files.ts"
import { startProgram } from "./program.ts"

const program = "/usr/sbin/ser2net"

/** How ser2net is set: as it comes, or for speed (its buffers are 64 bytes, and it waits for more characters). */
export type Ser2netTuning = "default" | "tuned"

const tunings: Readonly<Record<Ser2netTuning, readonly string[]>> = {
  default: [],
  tuned: ["chardelay: false", "dev-to-net-bufsize: 65536", "net-to-dev-bufsize: 65536"],
}

export interface Ser2netOptions {
  readonly device: LoadDevice
  readonly tuning: Ser2netTuning
  /** What clients speak; bare bytes by default. */
  readonly protocol?: "raw" | "rfc2217"
  /** How many of them there may be at once; 1 by default, as ser2net has it. */
  readonly maxClients?: number
}

/** ser2net serving one device. */
export interface Ser2net extends AsyncDisposable {
  readonly pid: number
  readonly port: number
  /** A client of raw bytes. */
  readonly connect: () => Promise<Consumer>
}

/** null where ser2net is not installed. */
export async function startSer2net(options: Ser2netOptions, folder: string): Promise<Ser2net | null> {
  const port = await freePort()
  const file = join(folder, `ser2net-${port}.yaml`)
  await writeFile(file, configuration(options, port))
  // -n: in the foreground; -u: without a lock file.
  const running = await startProgram(program, ["-n", "-u", "-c", file]).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return null
      throw error
    },
  )
  if (running === null) return null
  await eventually(() => checkListening(port))
  const { device } = options
  const idle = await openFiles(running.pid)
  let clients = 0
  return {
    pid: running.pid,
    port,
    async connect() {
      const consumer = await device.connect({ protocol: "raw", port, target: "-" })
      // It opens the port for its first client; what is sent before a client is accepted, that client misses.
      const expected = idle.length + ++clients + 1
      await eventually(async () => {
        const files = await openFiles(running.pid)
        if (files.length < expected || !files.includes(device.path))
          throw new Error(`ser2net did not accept client ${clients} of ${device.path}`)
      })
      return consumer
    },
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  }
}

function configuration(
  { device, tuning, protocol = "raw", maxClients = 1 }: Ser2netOptions,
  port: number,
): string {
  const filters = protocol === "raw" ? "" : "telnet(rfc2217),"
  const options = [`max-connections: ${maxClients}`, ...tunings[tuning]]
  return [
    "connection: &bench",
    `  accepter: ${filters}tcp,127.0.0.1,${port}`,
    `  connector: serialdev,${device.path},115200N81,local`,
    `  options: { ${options.join(", ")} }`,
    "",
  ].join("\n")
}

/** Looks without connecting: a connection would be its client. */
async function checkListening(port: number): Promise<void> {
  const sockets = await readFile("/proc/net/tcp", "utf8")
  // Addresses are hexadecimal; 0A is LISTEN (proc(5), tcp_states.h).
  const hex = port.toString(16).toUpperCase().padStart(4, "0")
  if (!sockets.includes(`0100007F:${hex} 00000000:0000 0A`))
    throw new Error(`nothing listens on port ${port}`)
}
