import type { IncomingMessage } from "node:http"
import type { Refusal } from "../answer/answer-rules.ts"
import type { RequestHead } from "../answer/request.ts"

/** Of the few headers that Node gives as lists none is asked for. */
export function requestHeadOf({ method = "", url = "", headers, rawHeaders }: IncomingMessage): RequestHead {
  const given = Object.entries(headers)
  return {
    method,
    target: url,
    headers: Object.fromEntries(given.filter((one): one is [string, string] => typeof one[1] === "string")),
    sentHeaders: Object.fromEntries(namesAndValues(rawHeaders)),
  }
}

/** What RFC 9112 asks of every request and Node's parser lets pass. */
export function whyMalformed(request: IncomingMessage): Refusal | undefined {
  const { httpVersion, httpVersionMajor, rawHeaders } = request
  if (httpVersionMajor !== 1) return { status: 505, message: "Use HTTP/1.1 or HTTP/1.0." }
  const hosts = namesAndValues(rawHeaders).filter(([name]) => name.toLowerCase() === "host")
  // §3.2: one, of every request of this version.
  if (hosts.length > 1 || (httpVersion === "1.1" && hosts.length === 0)) {
    return { status: 400, message: "Send one Host header, as HTTP/1.1 asks for." }
  }
  return undefined
}

function namesAndValues(rawHeaders: readonly string[]): [string, string][] {
  const pairs: [string, string][] = []
  for (let at = 0; at + 1 < rawHeaders.length; at += 2)
    pairs.push([rawHeaders[at] ?? "", rawHeaders[at + 1] ?? ""])
  return pairs
}
