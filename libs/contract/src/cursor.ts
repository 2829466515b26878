import { AppError } from "./errors.ts"

/** A place in one stream of one device: before mark number `mark` of the byte at `offset`, or past all its marks. */
export interface Cursor {
  /** 16 lower-case hex digits. */
  readonly epoch: string
  /** Bytes from the start of the epoch. */
  readonly offset: number
  /** How many marks at this offset were read already. */
  readonly mark: number
}

/** Where a reader starts. */
export type StartPoint =
  | { readonly kind: "now" }
  | { readonly kind: "start" }
  | { readonly kind: "cursor"; readonly cursor: Cursor }
  | { readonly kind: "last"; readonly bytes: number }
  | { readonly kind: "time"; readonly timeUs: number }

const cursorPattern = /^([0-9a-f]{16})-(0|[1-9][0-9]{0,15})(?:\.(0|[1-9][0-9]{0,8}))?$/
const lastPattern = /^-([1-9][0-9]{0,15})$/
// RFC 3339 §5.6 date-time: date, time, fraction, zone.
const timePattern = /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(?:\.(\d+))?([Zz]|[+-]\d{2}:\d{2})$/
/** As many as `cursorPattern` has digits for. */
export const maxMarksAtOffset = 999_999_999
const epochPattern = /^[0-9a-f]{16}$/

export function isEpoch(text: string): boolean {
  return epochPattern.test(text)
}

/** `<epoch>-<offset>`, or `<epoch>-<offset>.<mark>` between marks. */
export function formatCursor({ epoch, offset, mark }: Cursor): string {
  return mark === 0 ? `${epoch}-${offset}` : `${epoch}-${offset}.${mark}`
}

/** undefined when `text` is not a cursor. */
export function parseCursor(text: string): Cursor | undefined {
  const match = cursorPattern.exec(text)
  if (match === null) return undefined
  const offset = Number(match[2])
  if (!Number.isSafeInteger(offset)) return undefined
  return { epoch: match[1] ?? "", offset, mark: Number(match[3] ?? 0) }
}

/** Throws `bad_cursor` unless `text` is `now`, `start`, a cursor, `-N` or an RFC 3339 time. */
export function parseStartPoint(text: string): StartPoint {
  if (text === "now" || text === "start") return { kind: text }
  const last = lastPattern.exec(text)
  if (last !== null && Number.isSafeInteger(Number(last[1]))) return { kind: "last", bytes: Number(last[1]) }
  const cursor = parseCursor(text)
  if (cursor !== undefined) return { kind: "cursor", cursor }
  const timeUs = parseTimeUs(text)
  if (timeUs !== undefined) return { kind: "time", timeUs }
  const found = JSON.stringify(text.slice(0, 64))
  throw new AppError(
    "bad_cursor",
    `A start point is now, start, a cursor, -N (the last N bytes) or an RFC 3339 time; found ${found}.`,
  )
}

function parseTimeUs(text: string): number | undefined {
  const [, date = "", time = "", fraction = "", zone = ""] = timePattern.exec(text) ?? []
  const local = `${date}T${time}`
  const localMs = Date.parse(`${local}Z`)
  // Date.parse takes the 30th of February for the 2nd of March.
  if (Number.isNaN(localMs) || !new Date(localMs).toISOString().startsWith(local)) return undefined
  const wholeMs = Date.parse(`${local}${zone.toUpperCase()}`)
  if (Number.isNaN(wholeMs)) return undefined
  return wholeMs * 1000 + Number(fraction.slice(0, 6).padEnd(6, "0"))
}

/** The text that `parseStartPoint` reads as `start`. */
export function formatStartPoint(start: StartPoint): string {
  switch (start.kind) {
    case "now":
    case "start":
      return start.kind
    case "cursor":
      return formatCursor(start.cursor)
    case "last":
      return `-${start.bytes}`
    case "time":
      return formatTimeUs(start.timeUs)
  }
}

function formatTimeUs(timeUs: number): string {
  const timeMs = Math.floor(timeUs / 1000)
  const belowMs = String(timeUs - timeMs * 1000).padStart(3, "0")
  return new Date(timeMs).toISOString().replace("Z", `${belowMs}Z`)
}
