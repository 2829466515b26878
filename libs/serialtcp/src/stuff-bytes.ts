import { escapeByte } from "./codes.ts"

/**
 * Data as it goes on the line: each escape byte twice. The same array when there is none in it, which is found out at
 * memory speed: every byte of a transfer passes here.
 */
export function stuffBytes(bytes: Uint8Array): Uint8Array {
  const extra = countEscapes(bytes)
  if (extra === 0) return bytes
  const stuffed = new Uint8Array(bytes.byteLength + extra)
  let from = 0
  let at = 0
  while (from < bytes.byteLength) {
    const found = bytes.indexOf(escapeByte, from)
    const end = found < 0 ? bytes.byteLength : found + 1
    stuffed.set(bytes.subarray(from, end), at)
    at += end - from
    if (found >= 0) stuffed[at++] = escapeByte
    from = end
  }
  return stuffed
}

function countEscapes(bytes: Uint8Array): number {
  let count = 0
  for (let at = bytes.indexOf(escapeByte); at >= 0; at = bytes.indexOf(escapeByte, at + 1)) count++
  return count
}
