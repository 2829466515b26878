import http from "node:http"
import https from "node:https"
import type { Clock } from "@serialcast/primitives"

export interface PostOptions {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  readonly clock: Clock
  /** For all of it, from the name's look-up to the end of the answer, in milliseconds. */
  readonly timeoutMs: number
  /** Ends it at once. */
  readonly signal: AbortSignal
}

export type Posted =
  | { readonly kind: "answered"; readonly status: number }
  /** Nobody answered; `reason` as words for a log. */
  | { readonly kind: "failed"; readonly reason: string }

/** Of an answer nothing is wanted but its status. What is read beside lets its sender come to an end. */
const maxAnswerBytes = 16 * 1024

/** One request over a connection of its own, which is over when this resolves; follows no redirect. Never rejects. */
export function post({ url, headers, body, clock, timeoutMs, signal }: PostOptions): Promise<Posted> {
  const stopped = "the server stops"
  if (signal.aborted) return Promise.resolve({ kind: "failed", reason: stopped })
  const { request } = url.protocol === "https:" ? https : http
  return new Promise((resolve) => {
    const length = { "Content-Length": String(body.byteLength) }
    // Without an agent nothing is kept open for a next time.
    const sent = request(url, { method: "POST", agent: false, headers: { ...headers, ...length } })
    let answer: Posted | undefined
    const end = (reason: string) => {
      timer.cancel()
      signal.removeEventListener("abort", stop)
      sent.destroy()
      resolve(answer ?? { kind: "failed", reason })
    }
    const stop = () => end(stopped)
    const timer = clock.startTimer(timeoutMs, () => end(`no answer within ${timeoutMs / 1_000} s`))
    // Of several addresses tried, the error has a code and no message.
    sent.on("error", (error: NodeJS.ErrnoException) => end(error.message || String(error.code)))
    sent.on("close", () => end("the connection was closed without an answer"))
    sent.on("response", (response) => {
      answer = { kind: "answered", status: response.statusCode ?? 0 }
      let read = 0
      response.on("data", (piece: Uint8Array) => {
        read += piece.byteLength
        if (read > maxAnswerBytes) end("its answer is too long")
      })
      // One that is cut short has said its status.
      response.on("error", () => {})
    })
    signal.addEventListener("abort", stop)
    sent.end(body)
  })
}
