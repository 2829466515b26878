import { once } from "node:events"
import { connect } from "node:net"

export interface RawResponse {
  readonly status: number
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
  /** The server ended the connection after it. */
  readonly closed: boolean
}

/**
 * Sends a request byte by byte as given, over a socket of its own, as no HTTP library would. Reads up to the announced
 * length, or to the end of the connection when there is none.
 */
export async function sendRaw(port: number, head: string): Promise<RawResponse> {
  const socket = connect({ host: "127.0.0.1", port })
  socket.setEncoding("latin1")
  await once(socket, "connect")
  socket.write(`${head}\r\n\r\n`, "latin1")
  // RFC 9110 §9.3.2: the answer to HEAD announces the length of a body that it does not have.
  const hasBody = !head.startsWith("HEAD ")
  let text = ""
  for await (const part of socket) {
    text += part as string
    const response = parse(text, hasBody)
    if (response !== undefined && response.headers.get("connection") !== "close") {
      socket.destroy()
      return { ...response, closed: false }
    }
  }
  const response = parse(text, hasBody)
  if (response === undefined) throw new Error(`not a whole response: ${JSON.stringify(text)}`)
  return { ...response, closed: true }
}

function parse(text: string, hasBody: boolean): Omit<RawResponse, "closed"> | undefined {
  const end = text.indexOf("\r\n\r\n")
  if (end < 0) return undefined
  const [statusLine = "", ...lines] = text.slice(0, end).split("\r\n")
  const headers = new Map(
    lines.map((line) => [line.split(":", 1).join("").toLowerCase(), line.replace(/^[^:]*: */, "")]),
  )
  const body = text.slice(end + 4)
  if (hasBody && body.length < Number(headers.get("content-length") ?? 0)) return undefined
  return { status: Number(statusLine.split(" ")[1]), headers, body }
}
