/** How large the terminal is, in cells. */
export interface TerminalSize {
  readonly columns: number
  readonly rows: number
}

const keysOf = (letters: string, ...keys: readonly string[]): ReadonlySet<string> =>
  new Set([...letters.split(""), ...keys])

/*
 * Sequences by what stands around their numbers: prefix, intermediates, final byte. What is not here draws nothing: queries
 * (DA, DSR, DECRQM, window reports), the keyboard and printer protocols, and whatever terminals learn next.
 */

/** Moves, erases, inserts, deletes, scrolls, repeats; margins, tabs, the cursor's shape, protection, soft reset. */
const drawing = keysOf("@ABCDEFGHIJKLMPSTXZ`abdefgrsu", "?J", "?K", " @", " A", "'}", "'~", " q", '"q', "!p")
/** Their number is one of lines: a terminal moves so many, one after the other. */
const lineCounts = keysOf("LMST")
const modes = keysOf("hl", "?h", "?l")

/**
 * Modes that change what is shown, or what a key that a person presses sends: inserting; cursor keys, reverse video, origin,
 * wrap, blink, cursor, reverse wrap, keypad and the alternate screen. All others (mouse, focus, bracketed paste, …) make
 * the terminal type of itself, or change what is pasted.
 */
const plainModes = keysOf("4")
const privateModes: ReadonlySet<string> = new Set("1 5 6 7 12 25 45 47 66 1047 1048 1049".split(" "))

// More than any colour, and less than any terminal takes time for.
const maxColour = 9_999

/**
 * A control sequence (ECMA-48 §5.4: `CSI body final`) as a terminal may get it: no count is larger than the terminal, more
 * than which no count can do (but for repeating a character, which stays within a line's length), and modes are those that
 * a device may set. Empty when nothing of it is left.
 */
export function allowControl(body: string, final: string, { columns, rows }: TerminalSize): string {
  const [, prefix = "", numbers = "", intermediates = ""] = bodyPattern.exec(body) ?? []
  // Something else stands between them.
  if (body !== prefix + numbers + intermediates) return ""
  const key = prefix + intermediates + final
  if (key === "m") return `\x1b[${bound(numbers, maxColour)}m`
  if (modes.has(key)) return allowModes(prefix, numbers, final)
  if (!drawing.has(key)) return ""
  const limit = lineCounts.has(key) ? rows : Math.max(columns, rows)
  return `\x1b[${prefix}${bound(numbers, limit)}${intermediates}${final}`
}

const bodyPattern = /^([<=>?]?)([0-9;:]*)([ -/]*)$/

function bound(numbers: string, limit: number): string {
  return numbers.replaceAll(/\d+/g, (digits) => (Number(digits) > limit ? String(limit) : digits))
}

function allowModes(prefix: string, numbers: string, final: string): string {
  const known = prefix === "?" ? privateModes : plainModes
  const allowed = numbers.split(";").filter((mode) => known.has(mode.replace(/^0+/, "")))
  return allowed.length === 0 ? "" : `\x1b[${prefix}${allowed.join(";")}${final}`
}

/** Saves and restores the cursor, keypad, index, next line, tab stop, reverse index, reset, shifts of character sets. */
const plainEscapes = keysOf("78=>DEHMcno|}~")
/** Choose a character set. */
const charsetIntermediates = keysOf("()*+-./")

/** An escape sequence (ECMA-48 §5.3: `ESC intermediates final`) as a terminal may get it; empty when it may not. */
export function allowEscape(intermediates: string, final: string): string {
  const isAllowed =
    intermediates === ""
      ? plainEscapes.has(final)
      : charsetIntermediates.has(intermediates) || intermediates + final === "#8"
  return isAllowed ? `\x1b${intermediates}${final}` : ""
}
