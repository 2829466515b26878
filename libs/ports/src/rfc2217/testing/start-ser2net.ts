import { spawn } from "node:child_process"
import { readFile, symlink, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { createTemporaryFolder, eventually, freePort, openPty, type PtyDevice } from "@serialcast/testkit"
import { stopProgram } from "./stop-program.ts"

const program = "/usr/sbin/ser2net"

/** ser2net with RFC 2217 in front of a terminal. */
export interface Ser2net extends AsyncDisposable {
  readonly url: string
  readonly pty: PtyDevice
  /** Ends the program; the terminal stays. */
  kill(): Promise<void>
  /** Starts it again, at the same address. */
  restart(): Promise<void>
}

export async function startSer2net(): Promise<Ser2net> {
  const folder = createTemporaryFolder()
  const port = await freePort()
  const device = join(folder.path, "tty")
  const file = join(folder.path, "ser2net.yaml")
  await writeFile(file, configuration(device, port))
  // -n: in the foreground; -u: without a lock file.
  const start = () => spawn(program, ["-n", "-u", "-c", file], { stdio: "ignore" })
  let child = start()
  await untilListening(port)
  // After the process, which would inherit its end otherwise. ser2net opens it for its first client.
  const pty = await openPty()
  await symlink(pty.path, device)
  return {
    url: `rfc2217://127.0.0.1:${port}`,
    pty,
    kill: () => stopProgram(child),
    async restart() {
      child = start()
      await untilListening(port)
    },
    async [Symbol.asyncDispose]() {
      await stopProgram(child)
      await pty[Symbol.asyncDispose]()
      folder[Symbol.dispose]()
    },
  }
}

function configuration(device: string, port: number): string {
  return [
    "connection: &test",
    `  accepter: telnet(rfc2217),tcp,127.0.0.1,${port}`,
    `  connector: serialdev,${device},9600N81,local`,
    // The next client may come before the last one is forgotten.
    "  options: { kickolduser: true, chardelay: false, dev-to-net-bufsize: 65536, net-to-dev-bufsize: 65536 }",
    "",
  ].join("\n")
}

/** A connection to see that it listens would be its first client. */
async function untilListening(port: number): Promise<void> {
  // proc(5), tcp: the local address in hex, and 0A for a socket that listens.
  const listening = new RegExp(`:${port.toString(16).toUpperCase().padStart(4, "0")} \\S+ 0A`)
  await eventually(async () => {
    if (!listening.test(await readFile("/proc/net/tcp", "utf8")))
      throw new Error(`${program} does not listen on port ${port}`)
  })
}
