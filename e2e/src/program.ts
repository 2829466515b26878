import { type ChildProcess, execFile, spawn } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"

export interface RunOptions {
  readonly timeoutMs?: number
  /** For the program's standard input, which is then closed. */
  readonly input?: Uint8Array
  readonly cwd?: string
  /** Besides this process's own variables. */
  readonly env?: Readonly<Record<string, string>>
}

const maxOutputBytes = 16 * 1024 * 1024
/** Of what a failed program said, the end is quoted. */
const maxQuotedLength = 4_096

/** Runs a program to its end and answers its standard output. Throws, with what it said, when it fails or is late. */
export async function run(
  program: string,
  args: readonly string[],
  { timeoutMs = 30_000, input, cwd, env = {} }: RunOptions = {},
): Promise<string> {
  const options = { timeout: timeoutMs, maxBuffer: maxOutputBytes, cwd, env: { ...process.env, ...env } }
  return await new Promise((resolve, reject) => {
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout)
      const how = error.killed === true ? `did not end within ${timeoutMs} ms` : `ended with ${error.code}`
      const said = `${stdout}\n${stderr}`.trim().slice(-maxQuotedLength)
      reject(new Error(`${program} ${args.join(" ")}: ${how}\n${said}`))
    })
    // A program that ends before it has read everything says itself what was wrong.
    child.stdin?.on("error", () => {})
    child.stdin?.end(input)
  })
}

export interface ProgramOptions {
  readonly cwd?: string
  /** Besides this process's own variables. */
  readonly env?: Readonly<Record<string, string>>
  /** Puts it and what it starts into a process group of their own, as a terminal does. */
  readonly ownGroup?: boolean
}

export interface RunningProgram extends AsyncDisposable {
  /** Ctrl-C: SIGINT to the program, and to all of its group when it has its own. */
  interrupt(): void
  /** SIGKILL. */
  kill(): void
  /** SIGSTOP: it gets no time until it is resumed. */
  stop(): void
  resume(): void
  readonly ended: Promise<ProgramEnd>
}

export interface ProgramEnd {
  /** null when a signal ended it, or when it could not be started. */
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** The end of its standard error, or why it could not be started. */
  readonly said: string
}

/** Starts a program and hands over each line of its standard output; disposing ends it. */
export function startProgram(
  program: string,
  args: readonly string[],
  onLine: (line: string) => void,
  { cwd, env = {}, ownGroup = false }: ProgramOptions = {},
): RunningProgram {
  const child: ChildProcess = spawn(program, args, {
    cwd,
    env: { ...process.env, ...env },
    detached: ownGroup,
    stdio: ["ignore", "pipe", "pipe"],
  })
  let said = ""
  child.stderr?.on("data", (text) => (said = `${said}${String(text)}`.slice(-maxQuotedLength)))
  if (child.stdout !== null) createInterface(child.stdout).on("line", onLine)
  const ended = once(child, "close").then(
    (): ProgramEnd => ({ code: child.exitCode, signal: child.signalCode, said }),
    (error: unknown): ProgramEnd => ({ code: null, signal: null, said: String(error) }),
  )
  const signal = (name: NodeJS.Signals) => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
      process.kill(ownGroup ? -child.pid : child.pid, name)
  }
  return {
    ended,
    interrupt: () => signal("SIGINT"),
    kill: () => signal("SIGKILL"),
    stop: () => signal("SIGSTOP"),
    resume: () => signal("SIGCONT"),
    async [Symbol.asyncDispose]() {
      signal("SIGTERM")
      await ended
    },
  }
}
