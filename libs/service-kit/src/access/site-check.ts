import type { IncomingHttpHeaders } from "node:http"
import { AppError } from "@serialcast/contract"
import { parseHost } from "./host-check.ts"

/** What the checks read of a request; an IncomingMessage is one. */
export interface GuardedRequest {
  readonly method?: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly socket?: { readonly remoteAddress?: string | undefined }
}

export interface SiteCheckOptions {
  /** Lets links of other sites open this: for pages, never for what reads or writes a device. */
  readonly allowNavigation?: boolean
}

/**
 * Defends against requests that a page of another site makes a browser send (Fetch Metadata, W3C; `Origin` where it
 * is absent: browsers send it only to https and to this machine). A request with neither header is not from a page
 * that could be told apart; the token decides there. null: the request may go on.
 */
export function checkSite(
  { method, headers }: GuardedRequest,
  { allowNavigation = false }: SiteCheckOptions,
): AppError | null {
  const site = headers["sec-fetch-site"]
  if (site === undefined) return checkOrigin(headers)
  if (site === "same-origin" || site === "none") return null
  const isNavigation =
    method === "GET" && headers["sec-fetch-mode"] === "navigate" && headers["sec-fetch-dest"] === "document"
  return allowNavigation && isNavigation ? null : crossSite("a page of another site")
}

function checkOrigin({ origin, host }: IncomingHttpHeaders): AppError | null {
  if (origin === undefined) return null
  const own = parseHost(host)?.host
  // The scheme is not compared: a proxy that ends TLS makes an https page's request arrive as http.
  const isOwn = own !== undefined && URL.canParse(origin) && new URL(origin).host === own
  return isOwn ? null : crossSite(JSON.stringify(origin.slice(0, 100)))
}

function crossSite(found: string): AppError {
  return new AppError(
    "cross_site",
    `Expected a request of this service's own page or of a program; found one of ${found}.`,
  )
}
