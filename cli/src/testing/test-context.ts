import { ReadStream } from "node:tty"
import { systemClock } from "@serialcast/primitives"
import type { CommandContext } from "../command/context.ts"
import type { Output } from "../terminal/output.ts"

export interface TestOutput extends Output {
  /** What was written, as UTF-8. */
  text: string
}

/** A standard output that keeps what it gets; a terminal on demand. */
export function createTestOutput({
  isTerminal = false,
  columns = Number.POSITIVE_INFINITY,
} = {}): TestOutput {
  const decoder = new TextDecoder()
  const output: TestOutput = {
    text: "",
    isTerminal,
    hasColors: false,
    columns,
    async write(data) {
      output.text += typeof data === "string" ? data : decoder.decode(data, { stream: true })
    },
  }
  return output
}

/** What a command is given, in memory, with no terminal and an empty environment. */
export function createTestContext() {
  const stdout = createTestOutput()
  const stderr = createTestOutput()
  const { signal } = new AbortController()
  const context: CommandContext = {
    env: {},
    // Like a closed one: a prototype has no descriptor.
    stdin: Object.create(ReadStream.prototype) as ReadStream,
    stdout,
    stderr,
    clock: systemClock,
    signal,
    onHangUp() {},
  }
  return { context, stdout, stderr }
}
