import { isIPv4 } from "node:net"
import type { ListenAddress } from "./config.ts"
import { formatListenAddress } from "./listen-address.ts"

// Of the URL standard's way to write IPv6: an IPv4 address that a socket of both families is bound to (RFC 4291 §2.5.5.2).
const mappedPattern = /^\[::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})\]$/

/**
 * Whether the system refuses to listen at `one` and at `other` at the same time. Two names are taken for different
 * addresses; `localhost` is both of its usual ones.
 */
export function isSamePlace(one: ListenAddress, other: ListenAddress): boolean {
  if (one.port !== other.port || one.port === 0) return false
  const [first, second] = [canonicalHost(one), canonicalHost(other)]
  return first === second || covers(first, second) || covers(second, first)
}

function covers(wide: string, narrow: string): boolean {
  switch (wide) {
    case "[::]":
      // Node listens there for IPv4 as well.
      return true
    case "0.0.0.0":
      return isIPv4(narrow) || !narrow.startsWith("[")
    case "localhost":
      return narrow === "127.0.0.1" || narrow === "[::1]"
    default:
      return false
  }
}

/** The host as the URL standard writes it: one text for all ways to write an address. */
function canonicalHost(address: ListenAddress): string {
  if (address.host === "*") return "[::]"
  const url = `http://${formatListenAddress(address)}`
  const host = URL.canParse(url) ? new URL(url).hostname : address.host.toLowerCase()
  const [, high, low] = mappedPattern.exec(host) ?? []
  return high === undefined || low === undefined
    ? host
    : ipv4Of(Number.parseInt(high, 16), Number.parseInt(low, 16))
}

function ipv4Of(high: number, low: number): string {
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join(".")
}
