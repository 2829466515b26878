import { createReadStream } from "node:fs"
import { addAbortSignal } from "node:stream"
import { AppError, decodeBytes, lineEnds, maxWriteBytes } from "@serialcast/contract"
import { concatBytes } from "@serialcast/primitives"
import type { CommandContext } from "../command/context.ts"
import { UsageError } from "../command/usage-error.ts"
import { systemReason } from "./system-reason.ts"

export interface WriteSource {
  readonly text: string | undefined
  readonly hex: string | undefined
  /** `-`: standard input. */
  readonly file: string | undefined
  readonly eol: string | undefined
}

/** The bytes that are asked to be written, as they come; they end at the stop signal. */
export type WriteInput = AsyncIterable<Uint8Array>

/** Throws `UsageError` unless exactly one source is given, and `bad_hex`. Reading it throws `bad_request`. */
export function openInput(
  { text, hex, file, eol = "none" }: WriteSource,
  context: Pick<CommandContext, "stdin" | "signal">,
): WriteInput {
  const given = [text, hex, file].filter((source) => source !== undefined)
  if (given.length !== 1) {
    throw new UsageError(`Expected one of TEXT, --hex and --file to write; found ${given.length || "none"}.`)
  }
  const lineEnd = lineEnds.get(eol)
  if (lineEnd === undefined) {
    throw new UsageError(`--eol: expected ${[...lineEnds.keys()].join(", ")}; found ${JSON.stringify(eol)}.`)
  }
  const bytes = file === undefined ? [decodeText(text, hex)] : readFile(file, context)
  return followedBy(bytes, new TextEncoder().encode(lineEnd))
}

const isTooLong = `One write carries at most ${maxWriteBytes} bytes: send more with --stream.`

/** All of it, of at most 4 MiB, as for one atomic write. Throws `too_large`, with these words. */
export async function readWhole(input: WriteInput, words = isTooLong): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of input) {
    size += part.byteLength
    if (size > maxWriteBytes) {
      throw new AppError("too_large", words)
    }
    parts.push(part)
  }
  return concatBytes(parts)
}

function decodeText(text: string | undefined, hex: string | undefined): Uint8Array {
  return decodeBytes(text === undefined ? { hex: hex?.replaceAll(/\s/g, "") } : { text })
}

async function* readFile(
  file: string,
  { stdin, signal }: Pick<CommandContext, "stdin" | "signal">,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* addAbortSignal(signal, file === "-" ? stdin : createReadStream(file))
  } catch (cause) {
    if (signal.aborted) return
    throw new AppError("bad_request", `${file} cannot be read: ${systemReason(cause)}.`, { cause })
  }
}

async function* followedBy(
  input: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  ending: Uint8Array,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield* input
  if (ending.byteLength > 0) yield ending
}
