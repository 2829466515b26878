import { AppError, formatStartPoint, maxTtlMs, type Receipt, toAppError } from "@serialcast/contract"
import type { Device } from "@serialcast/device-stream"
import { defineCommand } from "../command/command.ts"
import type { CommandContext } from "../command/context.ts"
import { exitCodes } from "../command/exit-code.ts"
import { UsageError } from "../command/usage-error.ts"
import { chooseDevice } from "../gateway/choose-device.ts"
import { connectionOptions, connectToGateway } from "../gateway/connect.ts"
import { ProgressBar } from "../terminal/progress-bar.ts"
import { openInput, readWhole, type WriteInput } from "./write-input.ts"

export const writeCommand = defineCommand({
  name: "write",
  summary: "Write to a device, and print the receipt when the bytes have left for the wire",
  operands: "[device] [text]",
  maxOperands: 2,
  about: [
    "A write is atomic, up to 4 MiB: no other one gets between its bytes. With --stream it may be of any length, and\n" +
      "others may. Ctrl-C takes back what was not written yet and says how much was.",
  ],
  options: {
    ...connectionOptions,
    hex: { type: "string", value: "digits", help: "Bytes as hex digits instead of text" },
    file: { type: "string", value: "file", help: "The content of a file; - is standard input" },
    eol: { type: "string", value: "name", help: "What to end it with: none (default), lf, cr or crlf" },
    ttl: { type: "string", value: "seconds", help: "How long it may wait for other writes (default 30)" },
    lease: { type: "string", value: "token", help: "The token of the lease to write under" },
    stream: { type: "boolean", help: "Write as it comes, of any length, not as one atomic write" },
    json: { type: "boolean", help: "The receipt as JSON" },
  },
  examples: [
    ["serialcast write uno 'AT' --eol crlf", "A command with its line end"],
    ["serialcast write uno --hex '02 FF 03'", "Bytes"],
    ["serialcast write uno --file firmware.bin", "A file as one write"],
    ["tail -f log | serialcast write uno --file - --stream", "What comes, as it comes"],
  ],
  async run({ values, operands }, context) {
    const { hex, file, eol, lease, json = false } = values
    const [given, text] = operands
    const ttlMs = parseTtl(values.ttl)
    const input = openInput({ text, hex, file, eol }, context)
    await using gateway = await connectToGateway(values, context)
    const { client, by } = gateway
    const device = client.device(chooseDevice(client.devices.list(), given))
    if (values.stream === true) {
      const written = await writeStream(device, input, { by, lease, context })
      await context.stdout.write(json ? `${JSON.stringify(written)}\n` : `Wrote ${written.bytes} bytes.\n`)
    } else {
      const receipt = await writeWhole(device, input, { by, lease, ttlMs, context })
      await context.stdout.write(json ? `${JSON.stringify(receipt)}\n` : formatReceipt(receipt))
    }
    return exitCodes.done
  },
})

interface Writing {
  readonly by: string
  readonly lease: string | undefined
  readonly context: CommandContext
}

async function writeWhole(
  device: Device,
  input: WriteInput,
  { context: { stderr, clock, signal }, ...options }: Writing & { readonly ttlMs: number | undefined },
): Promise<Receipt> {
  const bytes = await readWhole(input)
  if (signal.aborted) throw new AppError("cancelled", "Nothing was written.")
  const bar = new ProgressBar(stderr, clock)
  try {
    return await device.write(bytes, {
      ...options,
      signal,
      // A bar that cannot be drawn is no reason to stop writing.
      onProgress: ({ bytes: written, of }) => void bar.update(written, of).catch(() => {}),
    })
  } finally {
    await bar.clear()
  }
}

async function writeStream(
  device: Device,
  input: WriteInput,
  { by, lease, context: { stderr, clock, signal } }: Writing,
): Promise<{ bytes: number }> {
  const bar = new ProgressBar(stderr, clock)
  let written = 0
  try {
    await using writer = device.openWriter({ by, lease, signal })
    for await (const bytes of input) {
      await writer.write(bytes)
      const progress = writer.flush().then(async (sum) => {
        written = sum.bytes
        await bar.update(written, null)
      })
      // A refusal is the next write's to tell.
      progress.catch(() => {})
    }
    return await writer.flush()
  } catch (cause) {
    const { code, message } = toAppError(cause)
    throw new AppError(code, `${message} Before that, at least ${written} bytes were written.`, { cause })
  } finally {
    await bar.clear()
  }
}

function formatReceipt({ bytes, from, to, drainedUs }: Receipt): string {
  const time = formatStartPoint({ kind: "time", timeUs: drainedUs })
  return `Wrote ${bytes} bytes at ${time}: tx ${from} to ${to}.\n`
}

function parseTtl(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const ttlMs = Number(text) * 1_000
  if (ttlMs >= 1 && ttlMs <= maxTtlMs) return Math.round(ttlMs)
  throw new UsageError(`--ttl: expected seconds, up to ${maxTtlMs / 1_000}; found ${JSON.stringify(text)}.`)
}
