import { isName } from "@serialcast/contract"

/** What a raw request target asks of the hex server. */
export type HexTarget =
  | { readonly kind: "read"; readonly address: string }
  /** `digits` as they stand in the target: not decoded, not checked. */
  | { readonly kind: "write"; readonly address: string; readonly digits: string }

const devicePath = /^\/devices\/([^/]+)\/([^/]+)(\/.*)$/s
const writePrefix = "/writebytes/"

/**
 * Parses a target as the original server does: no percent-decoding, no query, case-sensitive, `//` at the start folded.
 * undefined: the target is not one of the hex server's.
 */
export function parseHexTarget(target: string, defaultAddress: string): HexTarget | undefined {
  const folded = target.replace(/^\/+/, "/")
  const [, gateway = "", device = "", rest] = devicePath.exec(folded) ?? []
  if (rest !== undefined && !(isName(gateway) && isName(device))) return undefined
  const address = rest === undefined ? defaultAddress : `${gateway}/${device}`
  const path = rest ?? folded
  if (path === "/readbytes") return { kind: "read", address }
  if (path.startsWith(writePrefix)) return { kind: "write", address, digits: path.slice(writePrefix.length) }
  return undefined
}
