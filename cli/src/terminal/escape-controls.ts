// C0 without tab and line end, DEL, C1, line separators, and the directional marks and overrides that make text read
// differently from what it is.
const controls =
  // oxlint-disable-next-line eslint/no-control-regex -- finding them is its purpose
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g

/**
 * Makes text of a device, or of whoever named one, safe to show: a terminal obeys control characters (moves the cursor,
 * sets titles, types answers). They come out visible, as `\x1B` or `\u202E`; tab and line end stay.
 */
export function escapeControls(text: string): string {
  return text.replaceAll(controls, (found) => {
    const digits = found.charCodeAt(0).toString(16).toUpperCase()
    return digits.length <= 2 ? `\\x${digits.padStart(2, "0")}` : `\\u${digits}`
  })
}

/** As `escapeControls`, for a name, which is to stay on its line. */
export function escapeName(name: string): string {
  return escapeControls(name).replaceAll("\t", "\\t").replaceAll("\n", "\\n")
}

/** JSON in ASCII, so that a terminal obeys nothing in it. */
export function asciiJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    /[\u007f-\uffff]/g,
    (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`,
  )
}
