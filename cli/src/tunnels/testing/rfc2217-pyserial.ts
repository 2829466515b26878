import { spawn } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { onTestFinished } from "vitest"

// The one that the system's package python3-serial belongs to; another may come first in PATH.
const python = "/usr/bin/python3"
const script = fileURLToPath(new URL("./rfc2217-pyserial.py", import.meta.url))

/** What the script does: its `do` names it. */
export type PySerialCommand = { readonly do: string } & Readonly<Record<string, unknown>>

export interface PySerial {
  /** Answers the command's value; throws with the words of Python's exception. */
  run(command: PySerialCommand): Promise<unknown>
  /** The same, and how long it took. */
  timed(command: PySerialCommand): Promise<{ readonly value: unknown; readonly seconds: number }>
  /** Opens the port of a tunnel; `before`: attributes that are set before it. Answers how many seconds it took. */
  open(port: number, options?: { readonly before?: object; readonly options?: object }): Promise<number>
  /** Sets attributes of the open port, one after the other. */
  set(values: object): Promise<void>
  /** Reads attributes of the open port. */
  get(...names: string[]): Promise<unknown>
  /** Ends the process, without closing the port. */
  kill(): Promise<void>
}

/** A process with the real pySerial. Gone when the test is over. */
export function spawnPySerial(): PySerial {
  const child = spawn(python, [script], { stdio: ["pipe", "pipe", "inherit"] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const exited = once(child, "exit")
  const kill = async () => {
    child.kill("SIGKILL")
    await exited
  }
  onTestFinished(kill)
  const timed = async (command: PySerialCommand) => {
    child.stdin.write(`${JSON.stringify(command)}\n`)
    const { value: line, done } = await lines.next()
    if (done === true) throw new Error(`pySerial ended at ${JSON.stringify(command)}`)
    const { error, value, seconds } = JSON.parse(line)
    if (error !== undefined) throw new Error(error)
    return { value, seconds }
  }
  const run = async (command: PySerialCommand) => (await timed(command)).value
  return {
    run,
    timed,
    async open(port, { before = {}, options = {} } = {}) {
      const url = `rfc2217://127.0.0.1:${port}`
      const { seconds } = await timed({ do: "open", url, before, options: { timeout: 10, ...options } })
      return seconds
    },
    async set(values) {
      await run({ do: "set", values })
    },
    get: (...names) => run({ do: "get", names }),
    kill,
  }
}
