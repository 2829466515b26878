const digits = "0123456789ABCDEF"
const pairs = Array.from({ length: 256 }, (_, byte) => digits.charAt(byte >> 4) + digits.charAt(byte & 15))
const digitCodes = new TextEncoder().encode(digits)
const decoder = new TextDecoder()
const notADigit = 255
const values = new Uint8Array(128).fill(notADigit)
for (let value = 0; value < 16; value++) {
  values[digits.charCodeAt(value)] = value
  values[digits.toLowerCase().charCodeAt(value)] = value
}

/** Beyond so many bytes a text that grows by pairs is a tree of thousands of pieces, which costs its collector most. */
const mostPairs = 64

/** Upper-case hex, two digits for each byte, no separator. */
export function encodeHex(bytes: Uint8Array): string {
  if (bytes.byteLength > mostPairs) return encodeMany(bytes)
  let text = ""
  for (const byte of bytes) text += pairs[byte]
  return text
}

function encodeMany(bytes: Uint8Array): string {
  const text = new Uint8Array(2 * bytes.byteLength)
  let at = 0
  for (const byte of bytes) {
    text[at++] = digitCodes[byte >> 4] ?? 0
    text[at++] = digitCodes[byte & 15] ?? 0
  }
  return decoder.decode(text)
}

/** The bytes that `text` spells in hex digits of either case; undefined when any character or the length is wrong. */
export function decodeHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0) return undefined
  const bytes = new Uint8Array(text.length / 2)
  for (let at = 0; at < bytes.length; at++) {
    const high = values[text.charCodeAt(2 * at)] ?? notADigit
    const low = values[text.charCodeAt(2 * at + 1)] ?? notADigit
    if (high === notADigit || low === notADigit) return undefined
    bytes[at] = (high << 4) | low
  }
  return bytes
}
