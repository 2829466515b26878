import { AppError } from "./errors.ts"

/** Gateway and device names: safe as topic level, path segment and file name on every broker and system. */
export const namePattern = /^[a-z0-9][a-z0-9_-]{0,63}$/

export function isName(text: string): boolean {
  return namePattern.test(text)
}

export interface DeviceAddress {
  readonly gateway: string
  readonly device: string
}

/** `<gateway>/<device>` */
export function formatAddress({ gateway, device }: DeviceAddress): string {
  return `${gateway}/${device}`
}

/** Throws `bad_request` unless `text` is `<gateway>/<device>`. */
export function parseAddress(text: string): DeviceAddress {
  const [gateway = "", device = "", ...rest] = text.split("/")
  if (rest.length > 0 || !isName(gateway) || !isName(device)) {
    throw new AppError(
      "bad_request",
      `A device address is <gateway>/<device>, like local/uno; found ${JSON.stringify(text)}.`,
    )
  }
  return { gateway, device }
}
