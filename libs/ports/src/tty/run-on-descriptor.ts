import { spawn } from "node:child_process"
import type { Readable } from "node:stream"

// Settings of a USB adapter travel as control transfers, which Linux gives up after 5 s.
const timeoutMs = 6_000
// `stty -a` has 1,000.
const maxSaid = 4_096

export interface ScriptOutcome {
  /** Exit status; null when it took too long. */
  readonly status: number | null
  /** What it said on stdout. */
  readonly told: string
  /** What it said on stderr, without the name of the program. */
  readonly said: string
}

/**
 * Runs a shell script that finds the open descriptor `fd` as its descriptor 3: Node has no ioctl, the system's own tools do.
 * Never as descriptor 0, 1 or 2: Node makes those blocking, and with them every copy of the descriptor.
 */
export function runOnDescriptor(
  fd: number,
  script: string,
  args: readonly string[] = [],
): Promise<ScriptOutcome> {
  return new Promise((resolve, reject) => {
    // Their messages are told apart by their words.
    const child = spawn("sh", ["-c", `export LC_ALL=C; ${script}`, "sh", ...args], {
      stdio: ["ignore", "pipe", "pipe", fd],
      timeout: timeoutMs,
      killSignal: "SIGKILL",
    })
    const told = listenTo(child.stdout)
    const said = listenTo(child.stderr)
    child.once("error", reject)
    child.once("close", (status) =>
      resolve({ status, told: told(), said: said().trim().replace(/^.*: /, "") }),
    )
  })
}

/** Answers what came so far, the first 4 KiB of it. */
function listenTo(output: Readable | null): () => string {
  let heard = ""
  output?.setEncoding("utf8").on("data", (text: string) => {
    heard = (heard + text).slice(0, maxSaid)
  })
  return () => heard
}
