// Up to the last @ of the word: people write passwords with any character as they are.
const urlUser = /\/\/[^\s"\\]+@/g
const tokenParameter = /([?&](?:access_)?token=)[^\s"&\\]+/gi
const authorization = /\b(Bearer|Basic)\s+[^\s"\\]+/gi
const loginCookie = /(serialcast_session=)[^\s";\\]+/g

/**
 * Hides user names and passwords of URLs, `token` parameters of query strings, credentials behind the name of their HTTP
 * scheme, and login cookies.
 */
export function maskCredentials(text: string): string {
  return text
    .replaceAll(urlUser, "//[redacted]@")
    .replaceAll(tokenParameter, "$1[redacted]")
    .replaceAll(authorization, "$1 [redacted]")
    .replaceAll(loginCookie, "$1[redacted]")
}

// Escapes in JSON text, and what JSON leaves bare although it can steer a terminal: DEL, C1 controls, line
// separators, and the directional overrides that make text read differently from what it is.
const escapes = /\\(?:u[0-9a-f]{4}|.)/
const controls = /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/
const escapesOrControls = new RegExp(`${escapes.source}|${controls.source}`, "gi")

/**
 * Makes one line of JSON safe to show: control characters come out as visible `\n` or `\u001b` even after a reader
 * has decoded the JSON, and credentials are masked. Names of USB devices and URLs are chosen by others; a terminal
 * that shows the log must not obey them. Line ends before a stack frame stay.
 */
export function cleanLogLine(line: string): string {
  return maskCredentials(line).replaceAll(escapesOrControls, (found: string, at: number, whole: string) => {
    if (found === '\\"' || found === "\\\\" || found === "\\/") return found
    if (found === "\\n" && whole.startsWith("    at ", at + found.length)) return found
    return found.startsWith("\\") ? `\\${found}` : `\\\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`
  })
}
