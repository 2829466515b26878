import type { IncomingHttpHeaders } from "node:http"
import { AppError } from "@serialcast/contract"
import { parseHost } from "./host-check.ts"

/** What the checks read of a request; an IncomingMessage is one. */
export interface GuardedRequest {
  readonly method?: string | undefined
  readonly headers: IncomingHttpHeaders
  /** Names and values in turn, as they came. */
  readonly rawHeaders?: readonly string[]
  readonly httpVersion?: string
  readonly socket?: { readonly remoteAddress?: string | undefined }
}

export interface SiteCheckOptions {
  /** Lets links of other sites open this: for pages, never for what reads or writes a device. */
  readonly allowNavigation?: boolean
}

/**
 * Defends against requests that a page of another site makes a browser send. What the headers are worth:
 *
 * - `Sec-Fetch-Site` (Fetch Metadata, W3C) is the browser's own word on who asks, and pages cannot set it. Browsers send
 *   it only to https and to this machine.
 * - `Origin` names the page's site. It comes with every WebSocket handshake, with every method but GET and HEAD, and with
 *   GET only across sites and only in CORS mode: an image or a link of another site sends none.
 * - `Referer` names the page too, but its own policy may leave it out, so it proves the own site and nothing else
 *   (`whyNotOwnPage`).
 *
 * A request with neither of the first two may come from a program or from an image of another site on plain http. It is
 * allowed here, as it cannot read the answer; what it may do is for the credentials to decide. null: it may go on.
 */
export function whyNotSite(
  request: GuardedRequest,
  { allowNavigation = false }: SiteCheckOptions = {},
): AppError | null {
  const { headers } = request
  if (!allowNavigation && isAheadOfTime(headers)) return crossSite("a browser that loads ahead of time")
  const site = headers["sec-fetch-site"]
  if (site === undefined) {
    const { origin } = headers
    return origin === undefined || isOwn(origin, headers) ? null : crossSite(quote(origin))
  }
  if (site === "same-origin" || site === "none") return null
  const isNavigation = headers["sec-fetch-mode"] === "navigate" && headers["sec-fetch-dest"] === "document"
  return allowNavigation && request.method === "GET" && isNavigation
    ? null
    : crossSite("a page of another site")
}

/**
 * For a request that passed `whyNotSite` and is authorised by a cookie alone, which browsers add to requests of any page:
 * one of the three headers must say that it is our own page's. Pages therefore need `Referrer-Policy: same-origin`, as
 * their GET requests over plain http carry nothing else. A document that may be opened from anywhere is excepted.
 */
export function whyNotOwnPage(
  { method, headers }: GuardedRequest,
  { allowNavigation = false }: SiteCheckOptions = {},
): AppError | null {
  const { origin, referer } = headers
  if (headers["sec-fetch-site"] !== undefined || origin !== undefined) return null
  if ((allowNavigation && method === "GET") || (referer !== undefined && isOwn(referer, headers))) return null
  return crossSite(referer === undefined ? "a browser that does not say which page asks" : quote(referer))
}

/**
 * Browsers load and run what somebody may want next (`Sec-Purpose`, Fetch §2.2; the others are what older ones sent). Nobody
 * has asked for it yet, and it may be a write. Pages may be loaded so.
 */
function isAheadOfTime(headers: IncomingHttpHeaders): boolean {
  return ["sec-purpose", "purpose", "x-purpose", "x-moz"].some((name) =>
    /prefetch|prerender|preview/i.test(String(headers[name] ?? "")),
  )
}

/** Whether `url` names the host and port that the request was sent to. */
function isOwn(url: string, { host }: IncomingHttpHeaders): boolean {
  const own = parseHost(host)?.host
  // The scheme is not compared: a proxy that ends TLS makes an https page's request arrive as http.
  return own !== undefined && URL.canParse(url) && new URL(url).host === own
}

/** Without its query, which may carry a token, and of no length: it goes into the log. */
function quote(url: string): string {
  return JSON.stringify(url.slice(0, 100).replace(/[?#].*$/s, ""))
}

function crossSite(found: string): AppError {
  return new AppError(
    "cross_site",
    `Expected a request of this service's own page or of a program; found one of ${found}.`,
  )
}
