import { isIPv4, isIPv6 } from "node:net"
import type { ListenAddress } from "./config.ts"

const addressPattern = /^(?:\[([0-9a-fA-F:.]+)\]|(\*|[A-Za-z0-9._-]+)):([0-9]{1,5})$/

/** Reads `host:port`, `*:port` or `[IPv6]:port`; undefined for anything else. */
export function parseListenAddress(text: string): ListenAddress | undefined {
  const match = addressPattern.exec(text)
  if (match === null) return undefined
  const [, ipv6, name = "", digits] = match
  const port = Number(digits)
  if (port > 65_535 || (ipv6 !== undefined && !isIPv6(ipv6))) return undefined
  return { host: ipv6 ?? name, port }
}

export function formatListenAddress({ host, port }: ListenAddress): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`
}

/** Whether only this machine can reach `host`: 127.0.0.0/8, ::1 or localhost. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIPv4(host) && host.startsWith("127."))
}
