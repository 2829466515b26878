import { spawn } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import type { Check } from "./check.ts"

/** A check by a program of node_modules: holds when it ends with 0; what it prints are the problems. */
export function command(name: string, program: string, args: readonly string[]): Check {
  return {
    name,
    async run({ root }) {
      const child = spawn(join(root, "node_modules", ".bin", program), args, {
        cwd: root,
        stdio: ["ignore", "pipe", "pipe"],
      })
      const output: Uint8Array[] = []
      child.stdout.on("data", (part: Uint8Array) => output.push(part))
      child.stderr.on("data", (part: Uint8Array) => output.push(part))
      const [code] = (await once(child, "close")) as [number | null]
      if (code === 0) return ""
      return Buffer.concat(output).toString() || `${program} ended with ${code}`
    },
  }
}
