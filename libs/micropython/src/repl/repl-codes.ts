/** The control characters of MicroPython's REPL. */
export const replCode = {
  /** Ctrl-A: raw mode, from the begin of an empty line. */
  raw: 0x01,
  /** Ctrl-B: friendly mode, with its banner. */
  friendly: 0x02,
  /** Ctrl-C: ends the program, or the line. */
  interrupt: 0x03,
  /** Ctrl-D: runs what was sent (raw), resets (friendly, an empty line); the board parts output and error with it. */
  end: 0x04,
  /** Ctrl-E: what begins the request for raw-paste mode. */
  paste: 0x05,
  carriageReturn: 0x0d,
  /** XON and XOFF, which a port with software flow control takes for itself. */
  xon: 0x11,
  xoff: 0x13,
} as const

const encoder = new TextEncoder()

export const friendlyPrompt = encoder.encode(">>> ")
/** What stands before the prompt of raw mode; it ends in the prompt. */
export const rawBanner = encoder.encode("raw REPL; CTRL-B to exit\r\n>")
export const rawPrompt = encoder.encode(">")
