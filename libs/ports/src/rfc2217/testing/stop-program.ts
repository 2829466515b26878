import type { ChildProcess } from "node:child_process"
import { once } from "node:events"

/** Kills it, and resolves when it is gone. */
export async function stopProgram(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, "exit")
  child.kill("SIGKILL")
  await gone
}
