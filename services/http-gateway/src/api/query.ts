import { AppError, isStreamName, type StreamName } from "@serialcast/contract"
import type { Request } from "express"

export function queryOf({ url }: Request): URLSearchParams {
  return new URL(url, "http://localhost").searchParams
}

/** A parameter that is `true` or `false`. Throws `bad_request` for anything else. */
export function flagOf(request: Request, name: string, { absent }: { absent: boolean }): boolean {
  const text = queryOf(request).get(name)
  if (text === null) return absent
  if (text === "true" || text === "false") return text === "true"
  throw new AppError("bad_request", `${name}: expected true or false; found ${JSON.stringify(text)}.`)
}

/** `stream=rx|tx`; `rx` when absent. Throws `bad_request` for anything else. */
export function streamOf(query: URLSearchParams): StreamName {
  const stream = query.get("stream") ?? "rx"
  if (isStreamName(stream)) return stream
  throw new AppError("bad_request", `stream: expected rx or tx; found ${JSON.stringify(stream)}.`)
}
