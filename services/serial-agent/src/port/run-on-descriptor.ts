import { spawn } from "node:child_process"

// Settings of a USB adapter travel as control transfers, which Linux gives up after 5 s.
const timeoutMs = 6_000
const maxSaid = 1_024

export interface ScriptOutcome {
  /** Exit status; null when it took too long. */
  readonly status: number | null
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
      stdio: ["ignore", "ignore", "pipe", fd],
      timeout: timeoutMs,
      killSignal: "SIGKILL",
    })
    let said = ""
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(0, maxSaid)
    })
    child.once("error", reject)
    child.once("close", (status) => resolve({ status, said: said.trim().replace(/^.*: /, "") }))
  })
}
