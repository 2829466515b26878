import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { createWakeup } from "@serialcast/primitives"
import { onTestFinished } from "vitest"
import { type RunningProgram, run, startProgram } from "../program.ts"

const main = fileURLToPath(new URL("../../../cli/dist/main.js", import.meta.url))
const fixtures = fileURLToPath(new URL(".", import.meta.url))
const timeoutMs = 30_000

/** A folder in which commands of the guides run as in a reader's shell, with `serialcast` on its path. */
export interface Workplace {
  readonly folder: string
  /** Puts a program before all others of its name. */
  addProgram(name: string, script: string): Promise<void>
  /** Runs shell text to its end and answers its standard output. */
  sh(text: string, timeoutMs?: number): Promise<string>
  /** Runs Debian's Python, which has pySerial. */
  python(text: string): Promise<string>
  /** Runs a script that lies beside the tests. */
  pythonFile(name: string, ...args: readonly string[]): Promise<string>
  /** Starts the one command of a shell text, which goes on until the test is over. */
  start(text: string): WorkplaceProgram
}

export interface WorkplaceProgram extends RunningProgram {
  /** Its output so far, standard error included. */
  readonly lines: readonly string[]
  /** Waits for a line that matches, the first of `lines` from index `from` on. Throws when it does not come. */
  said(pattern: RegExp, from?: number): Promise<string>
}

export async function createWorkplace(): Promise<Workplace> {
  const folder = await mkdtemp(join(tmpdir(), "serialcast-tunnels-"))
  onTestFinished(() => rm(folder, { recursive: true }))
  const bin = join(folder, "bin")
  await mkdir(bin)
  const env = { PATH: `${bin}:/usr/bin:/usr/sbin:${process.env["PATH"]}`, PYTHONUNBUFFERED: "1" }
  const options = { cwd: folder, env }
  const addProgram = async (name: string, script: string) => {
    await writeFile(join(bin, name), script)
    await chmod(join(bin, name), 0o755)
  }
  await addProgram("serialcast", `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`)
  return {
    folder,
    addProgram,
    sh: (text, limitMs = timeoutMs) => run("bash", ["-ec", text], { ...options, timeoutMs: limitMs }),
    python: (text) => run("python3", ["-c", text], { ...options, timeoutMs }),
    pythonFile: (name, ...args) => run("python3", [join(fixtures, name), ...args], { ...options, timeoutMs }),
    start(text) {
      const program = startInShell(text, options)
      onTestFinished(() => program[Symbol.asyncDispose]())
      return program
    },
  }
}

function startInShell(
  text: string,
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): WorkplaceProgram {
  const lines: string[] = []
  const news = createWakeup()
  let end: string | undefined
  const running = startProgram(
    "bash",
    ["-c", `exec 2>&1; exec ${text}`],
    (line) => {
      lines.push(line)
      news.wake()
    },
    options,
  )
  void running.ended.then(({ code, signal }) => {
    end = `ended with ${code ?? signal}`
    news.wake()
  })
  return {
    ...running,
    lines,
    async said(pattern, from = 0) {
      const signal = AbortSignal.timeout(timeoutMs)
      for (;;) {
        const line = lines.slice(from).find((one) => pattern.test(one))
        if (line !== undefined) return line
        if (end !== undefined || signal.aborted)
          throw new Error(`${text} ${end ?? "runs"} without ${pattern}: ${lines.join("\n")}`)
        await news.wait({ signal })
      }
    },
  }
}
