import { AppError, lineEnds } from "@serialcast/contract"
import type { ForwardConfig } from "@serialcast/service-kit"

/** What a request says that becomes a part of the line. */
export interface RequestParts {
  readonly method: string
  readonly uri: string
  readonly body: Uint8Array
  /** As it stands behind the question mark, escaped. */
  readonly query: string
}

/** Of a body and of a query, in bytes: boards have little room for a line. */
const maxPartBytes = 1_024
// Line ends would make two lines of one, and others interrupt programs, like Ctrl-C. A tab is text.
const control = /[^\P{Cc}\t]/u
const decoder = new TextDecoder("utf-8", { fatal: true })
const names = /\{(method|uri|body|query)\}/g

/** The line that a request becomes, with its end. Throws `bad_request` for what cannot be a part of one. */
export function requestLine({ request, eol }: ForwardConfig, parts: RequestParts): Uint8Array {
  const { method, uri, query } = parts
  checkPart("query", Buffer.byteLength(query), decodedQuery(query))
  const values = { method, uri, query, body: textOf(parts.body) } as Readonly<Record<string, string>>
  // At once, so that what a client says is no template.
  const line = request.replace(names, (_whole, name: string) => values[name] ?? "")
  return new TextEncoder().encode(line + (lineEnds.get(eol) ?? ""))
}

function textOf(body: Uint8Array): string {
  let text: string
  try {
    text = decoder.decode(body)
  } catch (cause) {
    throw new AppError("bad_request", "Send the body in UTF-8.", { cause })
  }
  checkPart("body", body.byteLength, text)
  return text
}

/** What the device may make of it. */
function decodedQuery(query: string): string {
  try {
    return decodeURIComponent(query)
  } catch (cause) {
    throw new AppError(
      "bad_request",
      "Escape the query as UTF-8, with two hex digits after each percent sign.",
      {
        cause,
      },
    )
  }
}

function checkPart(name: string, bytes: number, text: string): void {
  if (bytes > maxPartBytes)
    throw new AppError(
      "bad_request",
      `Shorten the ${name}: at most ${maxPartBytes} bytes become a part of a line.`,
    )
  if (control.test(text))
    throw new AppError("bad_request", `Leave line ends and other control characters out of the ${name}.`)
}
