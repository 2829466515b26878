/** The longest uri, in bytes of UTF-8: what the original takes of a request. */
export const maxUriBytes = 512

const surrogate = /\p{Surrogate}/u
const control = /\p{Cc}/u
const encoder = new TextEncoder()

/**
 * Why `uri` is no name of a resource, as a sentence; undefined: it is. A name is decoded text: `/` alone, or segments with
 * a `/` before each. A segment is not empty, not `.` or `..`, and has no control characters; every other character is
 * itself, `%`, `+`, `#` and `?` too.
 */
export function whyNotUri(uri: string): string | undefined {
  if (!uri.startsWith("/")) return "Begin the URI with a slash."
  // Before what takes time: a character is one byte at least.
  if (uri.length > maxUriBytes || encoder.encode(uri).byteLength > maxUriBytes) {
    return `Shorten the URI: at most ${maxUriBytes} bytes are allowed.`
  }
  if (surrogate.test(uri)) return "Write the URI in well-formed Unicode; half a surrogate pair is in it."
  if (control.test(uri)) return "Leave control characters out of the URI."
  if (uri === "/") return undefined
  for (const segment of uri.slice(1).split("/")) {
    if (segment === "")
      return "Leave empty segments out of the URI: no slash at its end, and no two in a row."
    if (segment === "." || segment === "..") return 'Leave the segments "." and ".." out of the URI.'
  }
  return undefined
}
