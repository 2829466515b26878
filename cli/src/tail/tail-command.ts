import type { StartPoint, StreamName } from "@serialcast/contract"
import type { StreamEvent } from "@serialcast/device-stream"
import { defineCommand } from "../command/command.ts"
import type { CommandContext } from "../command/context.ts"
import { exitCodes } from "../command/exit-code.ts"
import type { OptionTable, OptionValues } from "../command/options.ts"
import { UsageError } from "../command/usage-error.ts"
import { chooseDevice } from "../gateway/choose-device.ts"
import { connectionOptions, connectToGateway } from "../gateway/connect.ts"
import { describeGap, describeMark } from "../gateway/describe-event.ts"
import { followState } from "../gateway/follow-state.ts"
import { parsePlace, parseStream, streamOption } from "../gateway/stream-options.ts"
import { createFormat, type FormatName, formatNames, parseFormatName } from "./choose-format.ts"
import type { Format } from "./format.ts"
import { takeBytes } from "./take-bytes.ts"

const options = {
  ...connectionOptions,
  from: {
    type: "string",
    value: "place",
    help: "now (default), start (the oldest kept), -N (the last N bytes), a cursor, or an RFC 3339 time",
  },
  ...streamOption,
  format: {
    type: "string",
    short: "f",
    value: "name",
    help: `${formatNames} (default: text on a terminal, else raw)`,
  },
  raw: { type: "boolean", help: "Same as --format raw" },
  timestamps: { type: "boolean", short: "t", help: "Begin lines with the time at which they were read" },
  count: { type: "string", short: "n", value: "bytes", help: "End after so many bytes" },
} as const satisfies OptionTable

export const tailCommand = defineCommand({
  name: "tail",
  summary: "Follow what a device sends, with every byte once or the gap named, until Ctrl-C",
  operands: "[device]",
  maxOperands: 1,
  about: [
    "It goes on by itself when the device, its gateway or the broker was away. Marks (port opened, settings changed)\n" +
      "and gaps are told on standard error, a line each; with --format json they are events like the bytes.",
    "A device can send what a terminal obeys. Control characters are therefore shown as \\x1B, except with --raw.\n" +
      "Through a pipe, the bytes are exactly the device's unless a format is asked for.",
  ],
  options,
  examples: [
    ["serialcast tail uno", "What it sends from now on"],
    ["serialcast tail uno --from -2000", "The last 2,000 bytes first"],
    ["serialcast tail uno --from start --count 1000 | md5sum", "Exact bytes into a pipe"],
    ["serialcast tail uno --format lines --timestamps", "Lines with their times"],
    ["serialcast tail uno --format json | jq .hex", "Events with cursors, for scripts that resume"],
    ["serialcast tail uno --stream tx", "What is written to it, by whom"],
  ],
  async run({ values, operands: [given] }, context) {
    const reading = parseReading(values, context.stdout.isTerminal)
    await using gateway = await connectToGateway(values, context)
    const { devices } = gateway.client
    const address = chooseDevice(devices.list(), given)
    const format = createFormat(reading.format, { hasTimes: reading.hasTimes })
    const printer = new Printer(format, context, { hasNotes: reading.format !== "json" })
    // A note that cannot be written is no reason to stop: the bytes go elsewhere.
    const forget = followState(devices, address, (line) => void printer.note(line).catch(() => {}))
    const { from, stream } = reading
    const events = gateway.client.device(address).read({ from, stream, signal: context.signal })
    for await (const event of takeBytes(events, reading.count)) await printer.print(event)
    await printer.end()
    forget()
    return exitCodes.done
  },
})

interface Reading {
  readonly from: StartPoint
  readonly stream: StreamName
  readonly format: FormatName
  readonly hasTimes: boolean
  /** Bytes to end after. */
  readonly count: number
}

/** Throws `UsageError`. */
function parseReading(values: OptionValues<typeof options>, isTerminal: boolean): Reading {
  const { raw = false, timestamps: hasTimes = false } = values
  if (raw && values.format !== undefined) throw new UsageError("--raw and --format exclude each other.")
  const usual = isTerminal || hasTimes ? "text" : "raw"
  const format = raw ? "raw" : parseFormatName(values.format ?? usual)
  if (hasTimes && format === "raw") throw new UsageError("--timestamps: raw bytes have no place for times.")
  return {
    from: parsePlace("from", values.from ?? "now"),
    stream: parseStream(values.stream),
    format,
    hasTimes,
    count: parseCount(values.count),
  }
}

function parseCount(text: string | undefined): number {
  if (text === undefined) return Number.POSITIVE_INFINITY
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text)
  throw new UsageError(`--count: expected a number of bytes; found ${JSON.stringify(text)}.`)
}

/** Bytes to standard output at its reader's pace, and notes to standard error. */
class Printer {
  readonly #format: Format
  readonly #context: Pick<CommandContext, "stdout" | "stderr">
  readonly #hasNotes: boolean

  constructor(
    format: Format,
    context: Pick<CommandContext, "stdout" | "stderr">,
    { hasNotes }: { hasNotes: boolean },
  ) {
    this.#format = format
    this.#context = context
    this.#hasNotes = hasNotes
  }

  async print(event: StreamEvent): Promise<void> {
    const shown = this.#format.show(event)
    if (shown.length > 0) await this.#context.stdout.write(shown)
    const note = noteOf(event)
    if (note !== undefined) await this.note(note)
  }

  /** One line on standard error. */
  async note(text: string): Promise<void> {
    if (!this.#hasNotes) return
    const { stdout, stderr } = this.#context
    // On one terminal, a note must not continue a line of the device.
    const start = stdout.isTerminal && !this.#format.isAtLineStart ? "\n" : ""
    await stderr.write(`${start}-- ${text}\n`)
  }

  async end(): Promise<void> {
    const rest = this.#format.end()
    if (rest !== "") await this.#context.stdout.write(rest)
  }
}

function noteOf(event: StreamEvent): string | undefined {
  switch (event.kind) {
    case "positioned":
      return event.cursor === null
        ? "the agent of the gateway does not answer yet; waiting for it"
        : undefined
    case "mark":
      return describeMark(event.mark)
    case "gap":
      return describeGap(event.gap)
    case "bytes":
      return undefined
  }
}
