import type { Gap, Mark } from "@serialcast/contract"

const timeFormat = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" })

export function describeGap({ bytes, reason }: Gap): string {
  if (reason === "unread") return "the port was not read here; bytes may be missing"
  return bytes === null
    ? "bytes are missing here: they are no longer kept"
    : `${bytes.toLocaleString()} bytes are missing here: they are no longer kept`
}

export function describeMark(mark: Mark, timeUs: number): string {
  const time = timeFormat.format(timeUs / 1000)
  switch (mark.kind) {
    case "opened":
      return `port opened, ${time}`
    case "closed":
      return `port closed, ${time}: ${mark.reason}`
    case "refused":
      return `a write was refused, ${time}: ${mark.code}`
  }
}

/** For writes whose answer was lost with the connection. */
export function describeLostWrites(count: number): string {
  return count === 1
    ? "The last write was not answered; it may not have arrived."
    : `The last ${count} writes were not answered; they may not have arrived.`
}
