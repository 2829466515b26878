import { UsageError } from "../command/usage-error.ts"
import type { Format, FormatOptions } from "./format.ts"
import { HexFormat } from "./hex-format.ts"
import { JsonFormat } from "./json-format.ts"
import { RawFormat } from "./raw-format.ts"
import { TextFormat } from "./text-format.ts"

const formats = {
  raw: () => new RawFormat(),
  text: (options) => new TextFormat(options),
  hex: (options) => new HexFormat(options),
  json: () => new JsonFormat(),
} as const satisfies Readonly<Record<string, (options: FormatOptions) => Format>>

type EventFormatName = keyof typeof formats

/** `lines` shows messages, not events (`LinesFormat`). */
export type FormatName = EventFormatName | "lines"

export const formatNames = "raw, text, hex, lines, json"

/** Reads `--format`. Throws `UsageError`. */
export function parseFormatName(text: string): FormatName {
  if (text === "lines" || Object.hasOwn(formats, text)) return text as FormatName
  throw new UsageError(`--format: expected ${formatNames}; found ${JSON.stringify(text)}.`)
}

export function createFormat(name: EventFormatName, options: FormatOptions): Format {
  return formats[name](options)
}
