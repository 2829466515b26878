import type { RequestEvent } from "./request.ts"

/** What a request is answered with. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  /** undefined: the request met no resource, or none that takes its method. */
  readonly event?: RequestEvent | undefined
}

/**
 * What others put here is shown by browsers as what it says to be or not at all, in a page of nobody's, and by no page of
 * another site. Values change: nobody is to keep them.
 */
export const safeHeaders = {
  "X-Content-Type-Options": "nosniff",
  "Content-Security-Policy": "sandbox; frame-ancestors 'none'",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Cache-Control": "no-store",
} as const

const encoder = new TextEncoder()

/** A sentence for people; 204 and 304 have none. */
export function textAnswer(
  status: number,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  const body = encoder.encode(`${message}\n`)
  return {
    status,
    headers: {
      ...safeHeaders,
      "Content-Type": "text/plain; charset=utf-8",
      "Content-Length": `${body.byteLength}`,
      ...headers,
    },
    body,
  }
}

/** RFC 9110 §6.4.1: 204 and 304 have neither a body nor a length of one. */
export function emptyAnswer(status: 204 | 304, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, headers: { ...safeHeaders, ...headers }, body: new Uint8Array(0) }
}
