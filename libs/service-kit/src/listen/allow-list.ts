import { BlockList, isIPv4 } from "node:net"
import { unmapAddress } from "./peer-name.ts"

const mappedBits = 96

/**
 * Tells whether an address lies in one of `networks` (CIDR notation, RFC 4632 §3.1; an address alone is itself); null
 * lets everyone in. IPv4 in an IPv6 form counts as IPv4, in addresses and in networks, and a zone (`%eth0`) does not count.
 */
export function createAllowList(networks: readonly string[] | null): (address: string) => boolean {
  if (networks === null) return () => true
  // A list for each family: one for both takes IPv4 addresses for members of `::/0`.
  const allowed = { ipv4: new BlockList(), ipv6: new BlockList() }
  for (const network of networks) {
    const [written = "", bits] = network.split("/")
    const address = unmapAddress(written)
    const family = familyOf(address)
    const mapped = address === written ? 0 : mappedBits
    if (bits === undefined) allowed[family].addAddress(address, family)
    else allowed[family].addSubnet(address, Math.max(0, Number(bits) - mapped), family)
  }
  return (from) => {
    const address = unmapAddress(from.replace(/%.*$/, ""))
    const family = familyOf(address)
    return allowed[family].check(address, family)
  }
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return isIPv4(address) ? "ipv4" : "ipv6"
}
