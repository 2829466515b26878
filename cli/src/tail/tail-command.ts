import type { Framing, StartPoint, StreamName } from "@serialcast/contract"
import { type MessageEvent, readMessages, type StreamEvent } from "@serialcast/device-stream"
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
import { LinesFormat } from "./lines-format.ts"
import { byRead, takeBytes } from "./take-bytes.ts"

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
    const device = takeBytes(gateway.client.device(address), reading.count)
    const printer = new Printer(context, { hasNotes: reading.format !== "json" })
    // A note that cannot be written is no reason to stop: the bytes go elsewhere.
    const forget = followState(devices, address, (line) => void printer.note(line).catch(() => {}))
    const { signal, clock } = context
    if (reading.format === "lines") {
      const state = () => devices.get(address)
      const messages = readMessages(device, { ...reading, state, signal, clock, plainLines, tellsRest: true })
      await printer.printLines(messages, new LinesFormat(reading))
    } else {
      const format = createFormat(reading.format, reading)
      const events = device.read({ ...reading, signal })
      // What tells times tells each.
      const isTimed = reading.hasTimes || reading.format === "json"
      await printer.printEvents(isTimed ? byRead(events) : events, format)
    }
    forget()
    return exitCodes.done
  },
})

/** A longer line of a device without a framing comes in pieces, so that one without line ends costs no more memory. */
const plainLines: Framing = { type: "line", maxBytes: 60_000 }

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
  readonly #context: Pick<CommandContext, "stdout" | "stderr">
  readonly #hasNotes: boolean
  /** Of what was shown so far. */
  #isAtLineStart = true

  constructor(context: Pick<CommandContext, "stdout" | "stderr">, { hasNotes }: { hasNotes: boolean }) {
    this.#context = context
    this.#hasNotes = hasNotes
  }

  async printEvents(events: AsyncIterable<StreamEvent>, format: Format): Promise<void> {
    for await (const event of events) {
      const shown = format.show(event)
      this.#isAtLineStart = format.isAtLineStart
      await this.#print(shown, event)
    }
    await this.#print(format.end(), null)
  }

  async printLines(messages: AsyncIterable<MessageEvent>, format: LinesFormat): Promise<void> {
    for await (const event of messages) await this.#print(format.show(event), event)
  }

  /** One line on standard error. */
  async note(text: string): Promise<void> {
    if (!this.#hasNotes) return
    const { stdout, stderr } = this.#context
    // On one terminal, a note must not continue a line of the device.
    const start = stdout.isTerminal && !this.#isAtLineStart ? "\n" : ""
    await stderr.write(`${start}-- ${text}\n`)
  }

  async #print(shown: string | Uint8Array, event: StreamEvent | MessageEvent | null): Promise<void> {
    if (shown.length > 0) await this.#context.stdout.write(shown)
    const note = event === null ? undefined : noteOf(event)
    if (note !== undefined) await this.note(note)
  }
}

function noteOf(event: StreamEvent | MessageEvent): string | undefined {
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
    case "message":
      return undefined
  }
}
