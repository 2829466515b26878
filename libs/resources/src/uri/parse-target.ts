import { maxUriBytes, whyNotUri } from "./canonical-uri.ts"

export type Target =
  | {
      readonly kind: "resource"
      /** As `whyNotUri` wants it. */
      readonly uri: string
      readonly query: URLSearchParams
    }
  /** `*`: the server as a whole (RFC 9112 §3.2.4). */
  | { readonly kind: "server" }
  /** It is not below `basePath`. */
  | { readonly kind: "elsewhere" }
  | { readonly kind: "refused"; readonly status: 400 | 414; readonly message: string }

/** All characters of a uri escaped, and as much again as it may have for a query. */
const maxTargetChars = 3 * maxUriBytes + maxUriBytes

const schemeAndAuthority = /^https?:\/\/[^/?#]*/i
const encodedSlash = /%2f/i
const unescaped = /^[!-~]*$/
const utf8 = new TextEncoder()

/**
 * The resource that a request target (RFC 9112 §3.2) means. It is decoded once and for all, whole: no name of a resource means
 * anything but itself afterwards. What could mean two things, as a slash that is escaped, is refused.
 */
export function parseTarget(target: string, basePath = ""): Target {
  if (target === "*") return { kind: "server" }
  // RFC 9112 §3.2.2: a server takes the absolute form too.
  const [path = "", ...query] = target.replace(schemeAndAuthority, "").split("?")
  if (target.length > maxTargetChars + basePath.length) return tooLong()
  if (!unescaped.test(target)) return refused("Escape the address: it has characters that are not ASCII.")
  if (target.includes("#")) return refused('Escape "#" in the address as %23.')
  if (!path.startsWith(`${basePath}/`)) {
    return path === "" || path.startsWith("/")
      ? { kind: "elsewhere" }
      : refused("Begin the address with a slash.")
  }
  const encoded = path.slice(basePath.length)
  if (encodedSlash.test(encoded))
    return refused("Write no slash as %2F: names of resources have none in a segment.")
  let uri: string
  try {
    uri = decodeURIComponent(encoded)
  } catch {
    return refused("Escape the address as UTF-8, with two hex digits after each percent sign.")
  }
  if (utf8.encode(uri).byteLength > maxUriBytes) return tooLong()
  const why = whyNotUri(uri)
  return why === undefined
    ? { kind: "resource", uri, query: new URLSearchParams(query.join("?")) }
    : refused(why)
}

function tooLong(): Target {
  const message = `Shorten the address: a URI has at most ${maxUriBytes} bytes.`
  return { kind: "refused", status: 414, message }
}

function refused(message: string): Target {
  return { kind: "refused", status: 400, message }
}
