import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { openPty, type PtyDevice } from "@serialcast/testkit"
import { stopProgram } from "./stop-program.ts"

// Debian's, which has python3-serial.
const python = "/usr/bin/python3"
const script = fileURLToPath(new URL("pyserial-server.py", import.meta.url))

/** pySerial's RFC 2217 server in front of a terminal, with looped modem lines. */
export interface PyserialServer extends AsyncDisposable {
  readonly url: string
  readonly pty: PtyDevice
}

export async function startPyserialServer(): Promise<PyserialServer> {
  const child = spawn(python, [script], { stdio: ["pipe", "pipe", "inherit"] })
  const [line] = (await Promise.race([once(child.stdout, "data"), failed(child)])) as [unknown]
  // After the process, which would inherit its end otherwise.
  const pty = await openPty()
  child.stdin.write(`${pty.path}\n`)
  return {
    url: `rfc2217://127.0.0.1:${String(line).trim()}`,
    pty,
    async [Symbol.asyncDispose]() {
      await stopProgram(child)
      await pty[Symbol.asyncDispose]()
    },
  }
}

async function failed(child: ChildProcess): Promise<never> {
  const [status] = (await once(child, "exit")) as [unknown]
  throw new Error(`${python} ${script} ended with status ${String(status)}; is python3-serial installed?`)
}
