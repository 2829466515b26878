/** Turns text into bold, dim or coloured text; the identity where the output is no terminal. */
export type Paint = (style: keyof typeof codes, text: string) => string

// ECMA-48 §8.3.117, SGR.
const codes = { bold: 1, dim: 2, green: 32, yellow: 33, cyan: 36 } as const

/** Colours for a terminal that has them; plain text for files and pipes. */
export function createPaint(hasColors: boolean): Paint {
  return (style, text) => (hasColors ? `\u001b[${codes[style]}m${text}\u001b[0m` : text)
}
