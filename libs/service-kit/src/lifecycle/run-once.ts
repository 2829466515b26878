import type { Config } from "../config/config.ts"
import { loadConfig } from "../config/load-config.ts"
import { failureText } from "./failure-text.ts"

export interface OnceOptions {
  readonly name: string
  readonly run: (config: Config) => Promise<void> | void
}

/** The main function of a program that does one thing and ends. */
export async function runOnce({ name, run }: OnceOptions): Promise<void> {
  try {
    await run(loadConfig({ env: process.env }))
  } catch (error) {
    process.stderr.write(failureText(name, error))
    process.exitCode = 1
  }
}
