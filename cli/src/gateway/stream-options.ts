import { isStreamName, parseStartPoint, type StartPoint, type StreamName } from "@serialcast/contract"
import type { OptionTable } from "../command/options.ts"
import { UsageError } from "../command/usage-error.ts"

export const streamOption = {
  stream: { type: "string", value: "rx|tx", help: "From the device (default), or to it" },
} as const satisfies OptionTable

/** Throws `UsageError`. */
export function parseStream(text = "rx"): StreamName {
  if (isStreamName(text)) return text
  throw new UsageError(`--stream: expected rx or tx; found ${JSON.stringify(text)}.`)
}

/** Throws `UsageError`. */
export function parsePlace(option: string, text: string): StartPoint {
  try {
    return parseStartPoint(text)
  } catch (cause) {
    throw new UsageError(`--${option}: ${(cause as Error).message}`, { cause })
  }
}
