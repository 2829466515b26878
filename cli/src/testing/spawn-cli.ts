import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { createTemporaryFolder } from "@serialcast/testkit"
import { onTestFinished } from "vitest"

/** The command line as it is shipped; `build-cli.ts` has built it. */
export const mainFile = fileURLToPath(new URL("../../dist/main.js", import.meta.url))
const free = "127.0.0.1:0"
const listeners = {
  SERIALCAST_HTTP_LISTEN: free,
  SERIALCAST_RESOURCES_LISTEN: free,
  SERIALCAST_CONSOLE_LISTEN: free,
  SERIALCAST_ADMIN_LISTEN: free,
  SERIALCAST_BROKER_LISTEN: free,
  SERIALCAST_BROKER_WEBSOCKET: free,
}

export interface SpawnedCli {
  readonly child: ChildProcessWithoutNullStreams
  readonly stdout: OutputText
  readonly stderr: OutputText
  /** The exit code, or the signal that ended it. */
  readonly exited: Promise<number | NodeJS.Signals>
}

export interface OutputText {
  text: string
  /** Resolves with the match when it is there; throws when the output ends without it. */
  find(pattern: RegExp): Promise<RegExpExecArray>
}

/** Runs the command line in a process of its own, on free ports. Killed when the test is over. */
export function spawnCli(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  cwd?: string,
): SpawnedCli {
  const folder = createTemporaryFolder()
  const child = spawn(process.execPath, [mainFile, ...args], {
    cwd,
    env: {
      PATH: process.env["PATH"],
      SERIALCAST_DISCOVER: "off",
      SERIALCAST_JOURNAL_DIR: join(folder.path, "journal"),
      SERIALCAST_BROKER_DIR: join(folder.path, "broker"),
      ...listeners,
      ...env,
    },
    stdio: ["pipe", "pipe", "pipe"],
  })
  onTestFinished(async () => {
    const isOver = child.exitCode !== null || child.signalCode !== null
    child.kill("SIGKILL")
    if (!isOver) await once(child, "exit")
    folder[Symbol.dispose]()
  })
  return {
    child,
    stdout: follow(child.stdout),
    stderr: follow(child.stderr),
    exited: once(child, "close").then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals),
  }
}

function follow(stream: NodeJS.ReadableStream): OutputText {
  let ended = false
  const output: OutputText = {
    text: "",
    async find(pattern) {
      for (;;) {
        const match = pattern.exec(output.text)
        if (match !== null) return match
        if (ended) throw new Error(`expected ${pattern}, found ${JSON.stringify(output.text)}`)
        await Promise.race([once(stream, "data"), once(stream, "end")])
      }
    },
  }
  stream.setEncoding("utf8")
  stream.on("data", (text: string) => {
    output.text += text
  })
  stream.on("end", () => {
    ended = true
  })
  return output
}
