import { isIP } from "node:net"
import { AppError } from "@serialcast/contract"
import type { GuardedRequest } from "./site-check.ts"

/** A name has at most 253 characters (RFC 1035 §2.3.4), a port five. */
const longestHost = 260
const hostPattern = /^(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?$/

/** The authority that a `Host` header names, spelled as browsers spell it; undefined when it names none. */
export function parseHost(header: string | undefined): { host: string; hostname: string } | undefined {
  if (
    header === undefined ||
    header.length > longestHost ||
    !hostPattern.test(header) ||
    !URL.canParse(`http://${header}`)
  )
    return undefined
  const { host, hostname } = new URL(`http://${header}`)
  return { host, hostname: hostname.replaceAll(/[[\]]/g, "") }
}

/**
 * Defends against DNS rebinding: a page at evil.example whose name suddenly resolves to this machine is, to the
 * browser, the same origin as the service. Such a request carries the attacker's name in `Host`; it needs a name,
 * so IP addresses are safe, and names must be listed. A request without `Host` is HTTP/1.0, which no browser speaks.
 * null: the host is one of ours.
 */
export function whyNotHost(
  { headers: { host: header }, httpVersion }: GuardedRequest,
  hosts: readonly string[],
): AppError | null {
  if (header === undefined) {
    if (httpVersion !== "1.1") return null
    return new AppError("bad_request", "Expected a Host header, as HTTP/1.1 asks for one; found none.")
  }
  const hostname = parseHost(header)?.hostname
  if (
    hostname !== undefined &&
    (hostname === "localhost" || isOwnAddress(hostname) || hosts.includes(hostname))
  ) {
    return null
  }
  const found = JSON.stringify(header.slice(0, 100))
  return new AppError(
    "bad_host",
    `Expected a Host header with localhost, an IP address or a configured name; found ${found}.`,
  )
}

/**
 * Addresses that lead to this machine without being one of its own (0.0.0.0, ::, IPv4 mapped into IPv6) are refused:
 * nobody needs them, and browsers do not count them as local, so they send none of the headers that the next check
 * relies on.
 */
function isOwnAddress(hostname: string): boolean {
  return (
    isIP(hostname) !== 0 && hostname !== "0.0.0.0" && hostname !== "::" && !hostname.startsWith("::ffff:")
  )
}
