import { createHash } from "node:crypto"

/** Of every WebSocket server (RFC 6455 §1.3). */
const webSocketGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

/** Where the WebREPL of a board finds its page by default. */
export const defaultStaticHost = "https://micropython.org/webrepl/"

/** The whole answer that makes a connection a WebSocket, byte for byte as a board gives it. `key`: one character a byte. */
export function upgradeAnswer(key: string): Uint8Array {
  const accept = createHash("sha1").update(key, "latin1").update(webSocketGuid).digest("base64")
  return encode(
    [
      "HTTP/1.1 101 Switching Protocols",
      "Upgrade: websocket",
      "Connection: Upgrade",
      `Sec-WebSocket-Accept: ${accept}`,
      "",
      "",
    ].join("\r\n"),
  )
}

/**
 * The whole answer to whoever does not upgrade, byte for byte as a board gives it: a document whose script comes from
 * `staticHost` and writes the page. The end of the connection ends it.
 */
export function redirectAnswer(staticHost: string): Uint8Array {
  return encode(
    `HTTP/1.0 200 OK\r\n\r\n<base href="${staticHost}"></base>\r\n<script src="webrepl_content.js"></script>\r\n`,
  )
}

export interface HttpAnswer {
  /** Like `404 Not Found`. */
  readonly status: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/** An answer of HTTP/1.1 behind which the connection ends. `method` HEAD leaves the body out (RFC 9110 §9.3.2). */
export function httpAnswer({ status, headers, body }: HttpAnswer, method: string): Uint8Array {
  const all = { ...headers, "Content-Length": String(body.byteLength), Connection: "close" }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  const head = encode(`HTTP/1.1 ${status}\r\n${lines.join("")}\r\n`)
  if (method === "HEAD") return head
  const whole = new Uint8Array(head.byteLength + body.byteLength)
  whole.set(head)
  whole.set(body, head.byteLength)
  return whole
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}
