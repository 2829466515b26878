import { isIPv4, type Socket } from "node:net"
import { formatListenAddress } from "../config/listen-address.ts"

const mappedPrefix = "::ffff:"

/** An address as people know it: a listener of both families sees IPv4 clients as `::ffff:10.0.0.7` (RFC 4291 §2.5.5.2). */
export function unmapAddress(address: string): string {
  const ipv4 = address.slice(mappedPrefix.length)
  return address.startsWith(mappedPrefix) && isIPv4(ipv4) ? ipv4 : address
}

/** `host:port` of the other end of a socket. */
export function peerName({
  remoteAddress,
  remotePort,
}: Pick<Socket, "remoteAddress" | "remotePort">): string {
  // Both are undefined once a socket is destroyed.
  return formatListenAddress({ host: unmapAddress(remoteAddress ?? "unknown"), port: remotePort ?? 0 })
}
