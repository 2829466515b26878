import { AppError } from "@serialcast/contract"
import type { CommandContext } from "../command/context.ts"
import { UsageError } from "../command/usage-error.ts"
import { openInput, readWhole } from "../write/write-input.ts"

/** The largest that a resource server may be set up for. */
const maxValueBytes = 128 * 1024
const isTooLong = "The value of a resource has at most 128 KiB."

/** The value that is asked to be set: text, or what is in a file. Throws `UsageError`, `bad_request`, and `too_large`. */
export async function readValue(
  { text, file }: { readonly text: string | undefined; readonly file: string | undefined },
  context: Pick<CommandContext, "stdin" | "signal">,
): Promise<Uint8Array> {
  if ((text === undefined) === (file === undefined))
    throw new UsageError(`Expected a value or --file; found ${text === undefined ? "none" : "both"}.`)
  const value = await readWhole(openInput({ text, file, hex: undefined, eol: undefined }, context), isTooLong)
  if (value.byteLength > maxValueBytes) throw new AppError("too_large", isTooLong)
  // A part of a file is not what was asked for.
  if (context.signal.aborted) throw new AppError("cancelled", "Nothing was set.")
  return value
}
