import { AppError } from "@serialcast/contract"

/** Where a device server listens. */
export interface ServerAddress {
  /** As it was written, for sentences. */
  readonly url: string
  /** A name or an address, an IPv6 one without its brackets. */
  readonly host: string
  readonly port: number
}

const maxPort = 65_535
const pattern = /^[a-z0-9]+:\/\/(?:\[([^\]]+)\]|([^:]+)):(\d+)$/

/** Parses `<scheme>://host:port`, an IPv6 address in brackets. Throws `bad_config`, which shows `example`. */
export function parseServerAddress(url: string, example: string): ServerAddress {
  const [, address, name, port] = pattern.exec(url) ?? []
  const host = address ?? name
  const number = Number(port)
  if (host === undefined || number < 1 || number > maxPort)
    throw new AppError("bad_config", `port: expected an address like ${example}; found ${url}`)
  return { url, host, port: number }
}
