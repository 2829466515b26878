import { type DestinationStream, type Logger as PinoLogger, pino } from "pino"
import { prettyFactory } from "pino-pretty"
import { cleanLogLine } from "./log-line.ts"

export type Logger = PinoLogger

export interface LoggerOptions {
  /** The service. */
  readonly name: string
  readonly level: "error" | "warn" | "info" | "debug" | "silent"
  /** One line for people instead of JSON; by default when standard error is a terminal. */
  readonly pretty?: boolean
  /** Where lines go; standard error by default. */
  readonly destination?: DestinationStream
}

// Enough for some thousand lines. A reader of the log that stands still must stop nothing, so more is dropped.
const maxPendingBytes = 1024 * 1024

const secretNames = ["token", "password", "authorization", "cookie"]

/**
 * A logger of JSON lines, or of lines for people on a terminal. Secrets, device bytes and control characters do not
 * get into a line whatever the caller passes.
 */
export function createLogger({
  name,
  level,
  pretty = process.stderr.isTTY,
  destination,
}: LoggerOptions): Logger {
  return pino(
    {
      level,
      base: { service: name },
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: secretNames.flatMap((secret) => [secret, `*.${secret}`, `*.*.${secret}`]),
      formatters: { level: (label) => ({ level: label }), log: withoutBytes },
      hooks: { streamWrite: cleanLogLine },
    },
    pretty ? prettyLines(destination ?? process.stderr) : (destination ?? standardError()),
  )
}

function prettyLines(destination: DestinationStream): DestinationStream {
  const prettify = prettyFactory({
    singleLine: true,
    translateTime: "SYS:HH:MM:ss.l",
    colorize: hasColors(),
    messageFormat: "{service}: {msg}",
    ignore: "service",
  })
  return { write: (line) => destination.write(prettify(line)) }
}

function standardError(): DestinationStream {
  return pino.destination({ dest: 2, sync: false, maxLength: maxPendingBytes })
}

function hasColors(): boolean {
  return process.stderr.isTTY && process.stderr.hasColors()
}

/** Bytes may be a device's secrets, and are unreadable as JSON anyway. */
function withoutBytes(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [
      key,
      value instanceof Uint8Array ? `[${value.byteLength} bytes]` : value,
    ]),
  )
}
