import type { ReadStream } from "node:tty"
import type { Clock } from "@serialcast/primitives"
import type { Output } from "../terminal/output.ts"

/** The effects that a command is given. */
export interface CommandContext {
  readonly env: Readonly<Record<string, string | undefined>>
  /** A terminal only where its `isTTY` says so. */
  readonly stdin: ReadStream
  readonly stdout: Output
  readonly stderr: Output
  readonly clock: Clock
  /** Aborted at Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal
  /** Calls `listener` at each SIGHUP, which then ends the process no more; `isTerminalGone`: its terminal was closed. */
  onHangUp(listener: (isTerminalGone: boolean) => void): void
}
