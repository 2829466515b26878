import { isatty } from "node:tty"
import { type DestinationStream, type Logger as PinoLogger, pino } from "pino"
import { prettyFactory } from "pino-pretty"
import type { LineSink } from "./line-sink.ts"
import { cleanLogLine } from "./log-line.ts"
import { sanitize } from "./sanitize.ts"
import { createStandardErrorSink } from "./standard-error.ts"

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

/**
 * A logger of JSON lines, or of lines for people on a terminal. Control characters do not get into a line whatever the
 * caller passes, nor do device bytes and secrets that `sanitize` can tell. A reader of standard error that stands still
 * stops nothing: lines are then dropped, and counted in the log once it reads on.
 */
export function createLogger({ name, level, pretty = isatty(2), destination: given }: LoggerOptions): Logger {
  const destination =
    given ?? standardError((lines) => log.error({ lines }, "log lines were dropped: nobody read them"))
  const log: Logger = pino(
    {
      level,
      base: { service: name },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      // `sanitize` has made a map of it.
      serializers: { err: (error: unknown) => error },
      hooks: {
        streamWrite: cleanLogLine,
        logMethod(values, logLine) {
          const [first, ...rest] = values
          const fields: unknown = (first as unknown) instanceof Error ? { err: first } : first
          // Same count and kinds as were given.
          logLine.apply(this, [fields, ...rest].map(sanitize) as typeof values)
        },
      },
    },
    pretty ? prettyLines(destination) : destination,
  )
  return withSanitizedChildren(log)
}

/** Children inherit from their parent, so this holds for theirs as well. pino has no hook for it. */
function withSanitizedChildren(log: Logger): Logger {
  // oxlint-disable-next-line typescript/unbound-method -- it is called with the logger whose child is wanted
  const createChild = log.child
  function child(this: Logger, ...[bindings, options]: Parameters<typeof createChild>) {
    // A map is copied as a map.
    return createChild.call(this, sanitize(bindings) as typeof bindings, options)
  }
  return Object.assign(log, { child })
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

/** Opened for the first line only: a logger that is silent, or writes elsewhere, leaves it alone. */
function standardError(onDropped: (lines: number) => void): DestinationStream {
  let sink: LineSink | undefined
  return {
    write(line) {
      sink ??= createStandardErrorSink({ onDropped })
      sink.write(line)
    },
  }
}

function hasColors(): boolean {
  return isatty(2) && process.stderr.hasColors()
}
