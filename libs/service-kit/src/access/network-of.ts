import { isIPv4, isIPv6 } from "node:net"

/**
 * Whose share of something a client takes from: its IPv4 address, or the /64 of its IPv6 address, of which whoever has one
 * has all (RFC 6177). An IPv4 address mapped into IPv6 is that IPv4 address.
 */
export function networkOf(address: string | undefined): string {
  if (address === undefined) return "unknown"
  const mapped = address.toLowerCase().startsWith("::ffff:") ? address.slice(7) : address
  if (isIPv4(mapped)) return mapped
  const [plain = ""] = address.split("%")
  if (!isIPv6(plain)) return address
  const [head = "", tail] = plain.split("::")
  const front = groupsOf(head)
  const back = tail === undefined ? [] : groupsOf(tail)
  const zeros = Array.from({ length: Math.max(0, 8 - front.length - back.length) }, () => "0")
  return `${[...front, ...zeros, ...back].slice(0, 4).join(":")}::/64`
}

/** The groups of a part of an address, without leading zeros; a dotted end counts as the two that it is. */
function groupsOf(part: string): string[] {
  if (part === "") return []
  return part
    .split(":")
    .flatMap((group) => (group.includes(".") ? [group, ""] : [Number.parseInt(group, 16).toString(16)]))
}
