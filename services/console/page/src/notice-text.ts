import type { Gap, Mark, ModemLines } from "@serialcast/contract"

const timeFormat = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" })

/** Bytes that were kept once. */
export function describeGap({ bytes }: Gap): string {
  return bytes === null
    ? "bytes are missing here: they are no longer kept"
    : `${bytes.toLocaleString()} bytes are missing here: they are no longer kept`
}

export function describeMark(mark: Mark, timeUs: number): string {
  return `${textOf(mark)}, ${timeFormat.format(timeUs / 1000)}`
}

function textOf(mark: Mark): string {
  switch (mark.kind) {
    case "opened":
      return mark.open > 1 ? "port opened; what the device sent before was not read" : "port opened"
    case "closed":
      return `port closed: ${mark.reason}`
    case "overrun":
      return "the device sent faster than the port was read; bytes are missing here"
    case "settings":
      return `${mark.by} set ${mark.settings.baudRate} baud, ${mark.settings.parity} parity`
    case "lines":
      return `${mark.by ?? "the device"} set ${listLines(mark.lines)}`
    case "break":
      return `${mark.by} sent a break`
    case "leased":
      return `${mark.holder} is the only writer${purposeOf(mark)}`
    case "released":
      return `everyone may write again, the lease of ${mark.holder}${purposeOf(mark)} was ${mark.reason}`
    case "started":
      return `${mark.by} writes ${mark.bytes} bytes`
    case "drained":
      return `${mark.by} wrote ${mark.bytes} bytes`
    case "refused":
      return mark.count === undefined
        ? `a write was refused: ${mark.code}`
        : `${mark.count} more writes were refused: ${mark.code}`
    case "held":
      return "the port takes nothing; what is written waits"
    case "resumed":
      return "the port takes bytes again"
    case "clock":
      return `the clock was set ${mark.stepMs < 0 ? "back" : "forward"} by ${(Math.abs(mark.stepMs) / 1_000).toLocaleString()} s`
    case "other":
      return mark.name
  }
}

function purposeOf({ purpose }: { readonly purpose?: string | undefined }): string {
  return purpose === undefined ? "" : ` (${purpose})`
}

function listLines(lines: ModemLines): string {
  return Object.entries(lines)
    .map(([name, isOn]) => `${name.toUpperCase()} ${isOn ? "on" : "off"}`)
    .join(", ")
}

/** For writes whose answer was lost with the connection. */
export function describeLostWrites(count: number): string {
  return count === 1
    ? "The last write was not answered; it may not have arrived."
    : `The last ${count} writes were not answered; they may not have arrived.`
}
