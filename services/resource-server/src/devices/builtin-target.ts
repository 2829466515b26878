import { parseTarget } from "@serialcast/resources"

/** What every device has, beside the resources of the table. */
export const builtinNames = ["last-line", "last-json", "state", "tx"] as const
export type BuiltinName = (typeof builtinNames)[number]

export interface BuiltinTarget {
  /** `<gateway>/<device>`, whatever was written there. */
  readonly address: string
  readonly name: BuiltinName
  readonly query: URLSearchParams
}

const pattern = new RegExp(`^/devices/([^/]+/[^/]+)/(${builtinNames.join("|")})$`)

/** What of which device a request target (RFC 9112 §3.2) means; undefined: something else. */
export function parseBuiltin(target: string): BuiltinTarget | undefined {
  const parsed = parseTarget(target)
  if (parsed.kind !== "resource") return undefined
  const [, address, found] = pattern.exec(parsed.uri) ?? []
  const name = builtinNames.find((one) => one === found)
  return address === undefined || name === undefined ? undefined : { address, name, query: parsed.query }
}
