type Verdict = "yes" | "no" | "maybe"
/** What may stand at one place: one byte, or one that the bytes before it allow. */
type Pattern = readonly (number | ((byte: number, before: Uint8Array) => boolean))[]

const any = () => true
const isMultipleOfFour = (byte: number) => byte % 4 === 0
/** RFC 8489 §5: in each message of STUN and TURN. */
const magicCookie = [0x21, 0x12, 0xa4, 0x42]
const stunHeadBytes = 20
const at = (bytes: Uint8Array, index: number) => (bytes[index] ?? 0) * 256 + (bytes[index + 1] ?? 0)

/** A page's https:// and wss:// connections: handshake, its version, a length of 16 KiB at most, ClientHello (RFC 8446 §5.1). */
const clientHello: Pattern = [0x16, 0x03, (byte) => byte <= 0x04, (byte) => byte <= 0x40, any, 0x01]

/** A page's `turn:` and `stun:` servers: Binding or Allocate, a length. */
const stun: Pattern = [0x00, (byte) => byte === 0x01 || byte === 0x03, any, isMultipleOfFour, ...magicCookie]

/** A page's WebRTC peers over TCP: a Binding behind its length (RFC 4571). */
const framedStun: Pattern = [
  (byte) => byte <= 0x03,
  any,
  0x00,
  0x01,
  any,
  (byte, before) => (before[4] ?? 0) * 256 + byte + stunHeadBytes === at(before, 0),
  ...magicCookie,
]

const patterns = [clientHello, stun, framedStun]

/** The longest pattern's size: what follows decides nothing. */
export const decidingBytes = Math.max(...patterns.map(({ length }) => length))

/** Whether a connection that begins with `head` is one of those that a page makes a browser open, besides HTTP. */
export function isBrowserOpening(head: Uint8Array): Verdict {
  const verdicts = patterns.map((pattern) => match(pattern, head))
  if (verdicts.includes("yes")) return "yes"
  return verdicts.includes("maybe") ? "maybe" : "no"
}

function match(pattern: Pattern, head: Uint8Array): Verdict {
  for (const [index, expected] of pattern.entries()) {
    const byte = head[index]
    if (byte === undefined) return "maybe"
    const isRight = typeof expected === "number" ? byte === expected : expected(byte, head.subarray(0, index))
    if (!isRight) return "no"
  }
  return "yes"
}
