const encoder = new TextEncoder()

/** A Python expression for these bytes, in printable ASCII. */
export function bytesLiteral(bytes: Uint8Array): string {
  let text = "b'"
  for (const byte of bytes) text += escapeByte(byte)
  return `${text}'`
}

/** A Python expression for this text, in printable ASCII: it passes through any port, and boards without Unicode too. */
export function textLiteral(text: string): string {
  const literal = bytesLiteral(encoder.encode(text))
  return /^[\x20-\x7e]*$/.test(text) ? literal.slice(1) : `${literal}.decode()`
}

function escapeByte(byte: number): string {
  const isPlain = byte >= 0x20 && byte < 0x7f && byte !== 0x27 && byte !== 0x5c
  return isPlain ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`
}
