export interface Head {
  /** GET, HEAD, …; empty when the request line has none. */
  readonly method: string
  /** What is asked for, without its query; empty when the request line names nothing. */
  readonly path: string
  /** Who upgrades as WebREPL wants it: its `Sec-WebSocket-Key`. null: it gets the page. */
  readonly webSocketKey: string | null
  /** A browser's page has one. */
  readonly hasOrigin: boolean
}

/**
 * What the lines of a head ask for. A WebSocket is what the WebREPL of a board takes for one: `Sec-WebSocket-Key` with any
 * value, `Connection` with `Upgrade` in it, and `Upgrade` that is `websocket`, names and values exactly in this case, whatever
 * RFC 9110 §5.1 says of names. The request line, the version, the host, sub-protocols and extensions do not count, and a line
 * without a colon is none.
 */
export function judgeHead([requestLine = "", ...lines]: readonly string[]): Head {
  const [method = "", target = ""] = requestLine.split(" ")
  let key = ""
  let asksUpgrade = false
  let isWebSocket = false
  let hasOrigin = false
  for (const line of lines) {
    const colon = line.indexOf(":")
    if (colon < 0) continue
    const name = trim(line.slice(0, colon))
    const value = trim(line.slice(colon + 1))
    if (name === "Sec-WebSocket-Key") key = value
    else if (name === "Connection") asksUpgrade ||= value.includes("Upgrade")
    else if (name === "Upgrade") isWebSocket ||= value === "websocket"
    else if (name.toLowerCase() === "origin") hasOrigin = true
  }
  const webSocketKey = asksUpgrade && isWebSocket && key !== "" ? key : null
  return { method, path: target.replace(/[?#].*$/s, ""), webSocketKey, hasOrigin }
}

const blanks = "\t\n\v\f\r "

/** Without the blanks of ASCII at its ends: a board knows no others, while `trim` takes A0 for one. */
function trim(text: string): string {
  let [start, end] = [0, text.length]
  while (start < end && blanks.includes(text.charAt(start))) start += 1
  while (end > start && blanks.includes(text.charAt(end - 1))) end -= 1
  return text.slice(start, end)
}
