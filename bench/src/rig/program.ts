import { type ChildProcessByStdio, spawn } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"
import type { Readable, Writable } from "node:stream"
import { systemClock } from "@serialcast/primitives"

const stopTimeoutMs = 5_000
/** Of what a failed program said, the end is quoted. */
const maxQuotedLength = 2_048

export interface ProgramOptions {
  readonly cwd?: string
  /** Hears each line of standard output. */
  readonly onLine?: (line: string) => void
  /** Hears each line of standard error. */
  readonly onErrorLine?: ((line: string) => void) | undefined
}

/** A program under test or beside it. Disposing ends it, by force after 5 s. */
export interface Program extends AsyncDisposable {
  readonly pid: number
  readonly input: Writable
  /** Resolves with a sentence on how it ended. */
  readonly ended: Promise<string>
}

/** Starts a program. Throws when there is no such program. */
export async function startProgram(
  command: string,
  args: readonly string[],
  { cwd, onLine, onErrorLine }: ProgramOptions = {},
): Promise<Program> {
  const child: ChildProcessByStdio<Writable, Readable, Readable> = spawn(command, args, {
    cwd,
    stdio: ["pipe", "pipe", "pipe"],
  })
  let said = ""
  child.stderr.on("data", (text) => (said = `${said}${String(text)}`.slice(-maxQuotedLength)))
  if (onErrorLine !== undefined) createInterface(child.stderr).on("line", onErrorLine)
  // Read in any case: a full pipe would stop the program.
  createInterface(child.stdout).on("line", (line) => onLine?.(line))
  // A program that ends before it has read everything says itself what was wrong.
  child.stdin.on("error", () => {})
  await once(child, "spawn")
  const ended = once(child, "close").then(
    () => `${command} ended with ${child.signalCode ?? child.exitCode}: ${said.trim()}`,
  )
  return {
    pid: child.pid ?? 0,
    input: child.stdin,
    ended,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM")
      using _late = systemClock.startTimer(stopTimeoutMs, () => child.kill("SIGKILL"))
      await ended
    },
  }
}
