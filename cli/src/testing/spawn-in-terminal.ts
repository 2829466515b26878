import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import { closeSync, constants, openSync } from "node:fs"
import { eventually, openPty } from "@serialcast/testkit"
import { onTestFinished } from "vitest"
import { mainFile } from "./spawn-cli.ts"

export interface TerminalCli {
  readonly child: ChildProcess
  /** The exit code, or the signal that ended it. */
  readonly exited: Promise<number | NodeJS.Signals>
  /** Presses keys. */
  type(keys: string | Uint8Array): Promise<void>
  /** Waits until all that came to the screen, a character for each byte, has a match, or this text in it. */
  find(pattern: RegExp | string): Promise<void>
  /** What came to the screen so far, as `find` saw it. */
  shown(): string
  /** The modes of the terminal, as `stty -g` tells them. */
  modes(): string
}

/** Runs the command line on a pseudo-terminal of its own, set as a shell would have it. Gone when the test is over. */
export async function spawnInTerminal(args: readonly string[]): Promise<TerminalCli> {
  const screen = await openPty()
  const stty = (...settings: string[]) => execFileSync("stty", ["-F", screen.path, ...settings]).toString()
  stty("sane")
  const terminal = openSync(screen.path, constants.O_RDWR | constants.O_NOCTTY)
  const child = spawn(process.execPath, [mainFile, ...args], {
    env: { PATH: process.env["PATH"], TERM: "xterm", SERIALCAST_BROKER_LISTEN: "127.0.0.1:0" },
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
    child,
    exited: once(child, "exit").then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals),
    type: (keys) => screen.write(typeof keys === "string" ? new TextEncoder().encode(keys) : keys),
    find: (pattern) =>
      eventually(
        async () => {
          const bytes = await screen.read(screen.received - taken)
          taken += bytes.byteLength
          for (const byte of bytes) shown += String.fromCharCode(byte)
          const isThere = typeof pattern === "string" ? shown.includes(pattern) : pattern.test(shown)
          if (!isThere) throw new Error(`expected ${pattern}, found ${JSON.stringify(shown)}`)
        },
        { timeoutMs: 15_000 },
      ),
    shown: () => shown,
    modes: () => stty("-g"),
  }
}
