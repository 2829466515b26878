import { execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import { closeSync, constants, openSync } from "node:fs"
import { eventually, openPty } from "@serialcast/testkit"
import { onTestFinished } from "vitest"
import type { Workplace } from "./workplace.ts"

/** A program that somebody sits in front of. */
export interface InTerminal {
  /** Presses keys. */
  type(keys: string): Promise<void>
  /** Waits until the screen has shown this. */
  find(text: string): Promise<void>
  /** Its exit code, or the signal that ended it. */
  readonly exited: Promise<number | NodeJS.Signals>
}

/** Runs the one command of a shell text on a pseudo-terminal, set as a shell would have it, until the test is over. */
export async function startInTerminal(place: Workplace, text: string): Promise<InTerminal> {
  const screen = await openPty()
  execFileSync("stty", ["-F", screen.path, "sane", "rows", "24", "cols", "80"])
  const terminal = openSync(screen.path, constants.O_RDWR | constants.O_NOCTTY)
  const child = spawn("bash", ["-c", `exec ${text}`], {
    cwd: place.folder,
    env: { PATH: `${place.folder}/bin:/usr/bin:${process.env["PATH"]}`, TERM: "xterm", HOME: place.folder },
    stdio: [terminal, terminal, terminal],
  })
  closeSync(terminal)
  onTestFinished(async () => {
    child.kill("SIGKILL")
    await screen.unplug()
  })
  let shown = ""
  let taken = 0
  return {
    type: (keys) => screen.write(new TextEncoder().encode(keys)),
    exited: once(child, "exit").then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals),
    find: (wanted) =>
      eventually(
        async () => {
          const bytes = await screen.read(screen.received - taken)
          taken += bytes.byteLength
          for (const byte of bytes) shown += String.fromCharCode(byte)
          if (!shown.includes(wanted)) throw new Error(`expected ${wanted}, found ${JSON.stringify(shown)}`)
        },
        { timeoutMs: 15_000 },
      ),
  }
}
