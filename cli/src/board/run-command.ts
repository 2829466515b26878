import { AppError, maxWriteBytes } from "@serialcast/contract"
import { defineCommand } from "../command/command.ts"
import type { CommandContext } from "../command/context.ts"
import { exitCodes } from "../command/exit-code.ts"
import { UsageError } from "../command/usage-error.ts"
import { escapeControls } from "../terminal/escape-controls.ts"
import { openInput, readWhole } from "../write/write-input.ts"
import { boardOptions, takeBoard } from "./take-board.ts"

/** A day: whoever wants more runs it as main.py. */
const longestMs = 86_400_000

export const runCommand = defineCommand({
  name: "run",
  summary: "Run a Python file of this machine on a MicroPython board",
  operands: "<device> [file]",
  maxOperands: 2,
  about: [
    "What it prints comes to standard output, a traceback to standard error, with exit code 1. Ctrl-C interrupts it.\n" +
      "It becomes no file of the board; its names stay in the board's memory, until serialcast reset. It has no input: what\n" +
      "waits for some waits until Ctrl-C or --timeout; serialcast repl is for that.",
  ],
  options: {
    ...boardOptions,
    code: { type: "string", value: "python", help: "The code itself instead of a file" },
    timeout: {
      type: "string",
      value: "seconds",
      help: "Interrupt it after so long (default: a day, the longest)",
    },
  },
  examples: [
    ["serialcast run board blink.py", "A file; - is standard input"],
    ["serialcast run board --code 'import gc; print(gc.mem_free())'", "A line"],
  ],
  async run({ values, operands: [given, file] }, context) {
    const { code } = values
    if ((code === undefined) === (file === undefined))
      throw new UsageError("Expected a device, and a file or --code.")
    const timeoutMs = parseTimeout(values.timeout)
    const source = code ?? (await readSource(file ?? "-", context))
    const purpose = `run ${file ?? ""}`.trim()
    const { stderr } = await takeBoard({ values, given, purpose, context }, (board) =>
      board.exec(source, {
        timeoutMs,
        signal: context.signal,
        onOutput: (bytes) => context.stdout.write(bytes),
      }),
    )
    await context.stderr.write(escapeControls(stderr.replaceAll("\r\n", "\n")))
    return stderr === "" ? exitCodes.done : exitCodes.failed
  },
})

async function readSource(file: string, context: CommandContext): Promise<string> {
  const input = openInput({ file, text: undefined, hex: undefined, eol: undefined }, context)
  return decodeCode(
    await readWhole(input, `${file}: expected at most ${maxWriteBytes} bytes of Python.`),
    file,
  )
}

/** Without the mark that editors put before UTF-8, which Python would take for a name. Throws `bad_request`. */
export function decodeCode(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new AppError("bad_request", `${file}: expected Python in UTF-8.`, { cause })
  }
}

function parseTimeout(text: string | undefined): number {
  if (text === undefined) return longestMs
  const ms = Number(text) * 1_000
  if (ms >= 1 && ms <= longestMs) return ms
  throw new UsageError(`--timeout: expected seconds, up to 86400; found ${JSON.stringify(text)}.`)
}
