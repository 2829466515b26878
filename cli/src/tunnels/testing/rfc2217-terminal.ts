import { execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import { closeSync, constants, openSync } from "node:fs"
import { eventually, openPty } from "@serialcast/testkit"
import { onTestFinished } from "vitest"

/** A program on a terminal of its own. */
export interface Terminal {
  /** Presses keys. */
  type(keys: string): Promise<void>
  /** Waits until this text is on the screen; the next wait begins behind it. */
  find(text: string): Promise<void>
  /** What came to the screen behind what was waited for last. */
  rest(): string
  readonly exited: Promise<unknown>
  kill(): Promise<void>
}

/** Runs a program on a pseudo-terminal that is set as a shell would have it. Gone when the test is over. */
export async function runInTerminal(command: string, args: readonly string[]): Promise<Terminal> {
  const screen = await openPty()
  execFileSync("stty", ["-F", screen.path, "sane"])
  const terminal = openSync(screen.path, constants.O_RDWR | constants.O_NOCTTY)
  const child = spawn(command, args, { stdio: [terminal, terminal, terminal], env: { TERM: "xterm" } })
  closeSync(terminal)
  const exited = once(child, "exit")
  const kill = async () => {
    child.kill("SIGKILL")
    await exited
  }
  onTestFinished(async () => {
    await kill()
    await screen.unplug()
  })
  let shown = ""
  let taken = 0
  const look = async () => {
    const bytes = await screen.read(screen.received - taken)
    taken += bytes.byteLength
    // A character for each byte, whatever it is.
    for (const byte of bytes) shown += String.fromCharCode(byte)
  }
  return {
    type: (keys) => screen.write(new TextEncoder().encode(keys)),
    async find(text) {
      await eventually(async () => {
        await look()
        if (!shown.includes(text))
          throw new Error(`expected ${JSON.stringify(text)}, found ${JSON.stringify(shown)}`)
      })
      shown = shown.slice(shown.indexOf(text) + text.length)
    },
    rest: () => shown,
    exited,
    kill,
  }
}
