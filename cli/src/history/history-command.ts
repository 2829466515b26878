import { type FileHandle, open } from "node:fs/promises"
import {
  AppError,
  type Cursor,
  type DeviceState,
  formatCursor,
  type StartPoint,
  type StreamName,
} from "@serialcast/contract"
import type { StreamEvent } from "@serialcast/device-stream"
import { defineCommand } from "../command/command.ts"
import type { CommandContext } from "../command/context.ts"
import { type ExitCode, exitCodes } from "../command/exit-code.ts"
import { chooseDevice } from "../gateway/choose-device.ts"
import { connectionOptions, connectToGateway } from "../gateway/connect.ts"
import { describeGap } from "../gateway/describe-event.ts"
import { parsePlace, parseStream, streamOption } from "../gateway/stream-options.ts"
import { createFormat } from "../tail/choose-format.ts"
import type { BytesEvent } from "../tail/format.ts"
import { ProgressBar } from "../terminal/progress-bar.ts"

export const historyCommand = defineCommand({
  name: "history",
  summary: "Copy what is kept of a device, the exact bytes, up to now",
  operands: "[device]",
  maxOperands: 1,
  about: [
    "It ends before bytes that are not kept any more, with exit code 3 and the cursor to go on from, so that what it\n" +
      "wrote is never a patchwork. Where nobody read the port (it was unplugged, or its agent was away) nothing was kept\n" +
      "that could be missing: that is told on standard error, and it goes on.",
    "On a terminal, control characters are shown as \\x1B, since it would obey them; into pipes and files go the bytes.",
  ],
  options: {
    ...connectionOptions,
    from: {
      type: "string",
      value: "place",
      help: "start (the oldest kept, default), -N, a cursor, or an RFC 3339 time",
    },
    to: {
      type: "string",
      value: "place",
      help: "Where it ends: a place like those of --from (default: what is the newest byte now)",
    },
    ...streamOption,
    output: { type: "string", short: "o", value: "file", help: "Write to a file instead of standard output" },
  },
  examples: [
    ["serialcast history uno -o uno.bin", "All that is kept, into a file"],
    ["serialcast history uno --from -1000000 | strings", "Of the last million bytes"],
    ["serialcast history uno --from 2030-01-31T08:00:00Z", "Since that morning"],
    ["serialcast history uno --stream tx", "All that was written to it"],
  ],
  async run({ values, operands: [given] }, context) {
    const from = parsePlace("from", values.from ?? "start")
    const to = values.to === undefined ? undefined : parsePlace("to", values.to)
    const stream = parseStream(values.stream)
    await using gateway = await connectToGateway(values, context)
    const { client } = gateway
    const address = chooseDevice(client.devices.list(), given)
    const { signal } = context
    const events = client.device(address).history({ from, to, stream, signal })
    const end = endOf(client.devices.get(address), stream, to)
    if (values.output === undefined) return await show(events, { end, context })
    const begun = await begin(events)
    await using file = await openOutput(values.output)
    return await copy(begun, { end, context, write: ({ bytes }) => append(file, bytes) })
  },
})

/** To standard output: text where it is a terminal, which would obey the bytes. */
async function show(
  events: AsyncIterable<StreamEvent>,
  { end, context }: Omit<Copying, "write">,
): Promise<ExitCode> {
  const { stdout } = context
  const format = createFormat(stdout.isTerminal ? "text" : "raw", { hasTimes: false })
  const code = await copy(events, { end, context, write: (event) => stdout.write(format.show(event)) })
  const rest = format.end()
  if (rest !== "") await stdout.write(rest)
  return code
}

/** The same events, once the first is here: a place that is refused leaves the file as it was. */
async function begin(events: AsyncIterable<StreamEvent>): Promise<AsyncIterable<StreamEvent>> {
  const rest = events[Symbol.asyncIterator]()
  const first = await rest.next()
  return (async function* () {
    if (first.done === true) return
    yield first.value
    yield* { [Symbol.asyncIterator]: () => rest }
  })()
}

async function openOutput(path: string): Promise<FileHandle> {
  try {
    return await open(path, "w")
  } catch (cause) {
    throw new AppError("bad_request", `${path} cannot be written: ${String(cause)}.`, { cause })
  }
}

async function append(file: FileHandle, bytes: Uint8Array): Promise<void> {
  try {
    await file.appendFile(bytes)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new AppError("output_failed", `The file could not be written to its end: ${reason}.`, { cause })
  }
}

interface Copying {
  /** Where it will end, as far as it is known: for the progress bar. */
  readonly end: Place | undefined
  readonly context: CommandContext
  readonly write: (event: BytesEvent) => Promise<void>
}

type Place = Pick<Cursor, "epoch" | "offset">

function endOf(
  state: DeviceState | undefined,
  stream: StreamName,
  to: StartPoint | undefined,
): Place | undefined {
  if (to?.kind === "cursor") return to.cursor
  return state === undefined ? undefined : { epoch: state.epoch, offset: state[stream].head }
}

async function copy(events: AsyncIterable<StreamEvent>, copying: Copying): Promise<ExitCode> {
  const { context, write, end } = copying
  const { stderr, clock, signal } = context
  const bar = new ProgressBar(stderr, clock)
  const say = async (text: string) => {
    await bar.clear()
    await stderr.write(`serialcast history: ${text}\n`)
  }
  let start: Cursor | null = null
  let last: Cursor | null = null
  let copied = 0
  for await (const event of events) {
    switch (event.kind) {
      case "positioned":
        start = event.cursor
        break
      case "bytes":
        await write(event)
        copied += event.bytes.byteLength
        await bar.update(copied, totalBytes(start, end))
        break
      case "gap":
        if (event.gap.reason === "evicted") {
          await say(`${describeGap(event.gap)}. Go on with --from ${event.gap.to}`)
          return exitCodes.gap
        }
        await say(describeGap(event.gap))
        break
      case "mark":
        break
    }
    last = event.cursor
  }
  await bar.clear()
  if (!signal.aborted) return exitCodes.done
  await say(
    `stopped after ${copied} bytes${last === null ? "" : `. Go on with --from ${formatCursor(last)}`}`,
  )
  return exitCodes.failed
}

/** null: not known, as over several epochs. */
function totalBytes(start: Place | null, end: Place | undefined): number | null {
  return start === null || end?.epoch !== start.epoch ? null : end.offset - start.offset
}
