import { isIP } from "node:net"
import type { Refusal } from "../answer/answer-rules.ts"
import type { RequestHead } from "../answer/request.ts"

export interface SiteCheckOptions {
  /** Names by which this server may be asked for, beside localhost and IP addresses; `*`: any. Default: none. */
  readonly hosts?: readonly string[] | "*"
}

/**
 * What web pages of others must not do with a server that a browser reaches. A name of theirs that suddenly means this machine
 * (DNS rebinding) makes them one site with it, so only names that are known may be asked for; an IP address has no name to
 * change. And a form of theirs posts text to anybody, so what changes something must not come from another site: browsers say
 * so in `Sec-Fetch-Site`, or, where they do not send that, in `Origin`. Programs send neither.
 */
export function createSiteCheck({ hosts = [] }: SiteCheckOptions = {}) {
  return (request: RequestHead): Refusal | undefined => {
    const { method, headers } = request
    if (hosts !== "*" && headers["host"] !== undefined && !isKnown(hostnameOf(headers["host"]), hosts)) {
      return {
        status: 421,
        message: "Ask for localhost or an IP address, or add the name to hosts of this server.",
      }
    }
    if (method === "GET" || method === "HEAD" || method === "OPTIONS" || !isOfAnotherSite(request))
      return undefined
    return { status: 403, message: "Change nothing from the page of another site." }
  }
}

function isKnown(hostname: string | undefined, hosts: readonly string[]): boolean {
  if (hostname === undefined) return false
  return hostname === "localhost" || isIP(hostname) !== 0 || hosts.includes(hostname)
}

/** As a URL has it, without brackets and port. */
function hostnameOf(host: string): string | undefined {
  if (/[/?#@\\]/.test(host) || !URL.canParse(`http://${host}`)) return undefined
  return new URL(`http://${host}`).hostname.replace(/^\[|\]$/g, "")
}

function isOfAnotherSite({ headers }: RequestHead): boolean {
  const site = headers["sec-fetch-site"]
  if (site !== undefined) return site !== "same-origin" && site !== "none"
  const { origin, host = "" } = headers
  // The scheme is not compared: a proxy may end TLS.
  return origin !== undefined && !(URL.canParse(origin) && new URL(origin).host === host.toLowerCase())
}
