/** One array holding `parts` in order; theirs, when they lie there one behind the other. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts
  if (parts.length === 1 && first !== undefined) return first
  let size = 0
  let isOne = true
  for (const part of parts) {
    isOne &&= part.buffer === first?.buffer && part.byteOffset === first.byteOffset + size
    size += part.byteLength
  }
  if (isOne && first !== undefined) return new Uint8Array(first.buffer, first.byteOffset, size)
  const whole = new Uint8Array(size)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.byteLength
  }
  return whole
}
