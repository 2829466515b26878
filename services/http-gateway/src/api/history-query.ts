import { AppError, parseStartPoint, type StartPoint, type StreamName } from "@serialcast/contract"
import { streamOf } from "./query.ts"

const mebibyte = 1024 * 1024
const defaultBytes = mebibyte
/** Largest answer, in bytes: it is held while its client takes it. */
const largestBytes = 4 * mebibyte

export interface HistoryQuery {
  readonly from: StartPoint
  /** A cursor, or the head as it is now. */
  readonly to: StartPoint
  readonly stream: StreamName
  readonly maxBytes: number
}

/** Reads `from=&to=&stream=&maxBytes=`. Throws `bad_cursor` or `bad_request`. */
export function parseHistoryQuery(query: URLSearchParams): HistoryQuery {
  const from = parseStartPoint(query.get("from") ?? "start")
  const to = endOf(query.get("to") ?? "now")
  return { from, to, stream: streamOf(query), maxBytes: sizeOf(query.get("maxBytes")) }
}

function endOf(text: string): StartPoint {
  const to = parseStartPoint(text)
  if (to.kind === "now" || to.kind === "cursor") return to
  throw new AppError("bad_cursor", `to: expected now or a cursor; found ${JSON.stringify(text)}.`)
}

function sizeOf(text: string | null): number {
  if (text === null) return defaultBytes
  const size = Number(text)
  if (/^[1-9]\d{0,9}$/.test(text) && size <= largestBytes) return size
  throw new AppError(
    "bad_request",
    `maxBytes: expected a number from 1 to ${largestBytes}; found ${JSON.stringify(text)}.`,
  )
}
