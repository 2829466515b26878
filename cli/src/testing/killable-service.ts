import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"

/** A service as it is built, in a process of its own, which can be killed and started again. */
export interface KillableService {
  start(): void
  /** SIGKILL: it gets no chance to do anything more. */
  kill(): Promise<void>
  /** Rejects when it ends although nobody killed it. */
  readonly failed: Promise<never>
}

/** `name`: its folder. Its output is the end of what a failure says. */
export function createKillableService(name: string, env: Readonly<Record<string, string>>): KillableService {
  const main = fileURLToPath(new URL(`../../../services/${name}/dist/main.js`, import.meta.url))
  let running: ChildProcess | null = null
  let fail: (error: Error) => void = () => {}
  const failed = new Promise<never>((_, reject) => (fail = reject))
  failed.catch(() => {})
  return {
    failed,
    start() {
      const child = spawn(process.execPath, [main], {
        env: { PATH: process.env["PATH"], ...env },
        stdio: ["ignore", "pipe", "pipe"],
      })
      running = child
      let said = ""
      for (const output of [child.stdout, child.stderr])
        output.setEncoding("utf8").on("data", (text: string) => (said = (said + text).slice(-4_096)))
      child.on("exit", (code, signal) => {
        if (signal !== "SIGKILL") fail(new Error(`${name} ended with ${code ?? signal}: ${said}`))
      })
    },
    async kill() {
      const child = running
      running = null
      if (child === null || child.exitCode !== null || child.signalCode !== null) return
      child.kill("SIGKILL")
      await once(child, "exit")
    },
  }
}
