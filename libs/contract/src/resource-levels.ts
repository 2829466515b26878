// What a topic cannot hold: wildcards (MQTT 3.1.1 §4.7.1), and control characters, of which brokers refuse some (§1.5.3).
// oxlint-disable-next-line eslint/no-control-regex -- finding them is its purpose
const reserved = /[+#%\u0000-\u001f\u007f-\u009f]/g

/** The topic levels of a URI in its canonical form: decoded, with a slash before each segment. `/` has none. */
export function levelsOfUri(uri: string): string[] {
  if (uri === "/") return []
  return uri
    .slice(1)
    .split("/")
    .map((segment) => segment.replaceAll(reserved, encodeURIComponent))
}

/** The URI of such levels. undefined: no URI has them. */
export function uriOfLevels(levels: readonly string[]): string | undefined {
  try {
    const segments = levels.map(decodeURIComponent)
    const uri = `/${segments.join("/")}`
    const isUri = segments.every((segment) => !["", ".", ".."].includes(segment) && !segment.includes("/"))
    return isUri && levelsOfUri(uri).every((level, at) => level === levels[at]) ? uri : undefined
  } catch {
    // Not percent-encoded UTF-8 (RFC 3986 §2.1).
    return undefined
  }
}
