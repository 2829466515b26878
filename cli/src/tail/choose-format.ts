import { UsageError } from "../command/usage-error.ts"
import type { Format, FormatOptions } from "./format.ts"
import { HexFormat } from "./hex-format.ts"
import { JsonFormat } from "./json-format.ts"
import { LinesFormat } from "./lines-format.ts"
import { RawFormat } from "./raw-format.ts"
import { TextFormat } from "./text-format.ts"

const formats = {
  raw: () => new RawFormat(),
  text: (options) => new TextFormat(options),
  hex: (options) => new HexFormat(options),
  lines: (options) => new LinesFormat(options),
  json: () => new JsonFormat(),
} as const satisfies Readonly<Record<string, (options: FormatOptions) => Format>>

export type FormatName = keyof typeof formats

export const formatNames = Object.keys(formats).join(", ")

/** Reads `--format`. Throws `UsageError`. */
export function parseFormatName(text: string): FormatName {
  if (Object.hasOwn(formats, text)) return text as FormatName
  throw new UsageError(`--format: expected ${formatNames}; found ${JSON.stringify(text)}.`)
}

export function createFormat(name: FormatName, options: FormatOptions): Format {
  return formats[name](options)
}
