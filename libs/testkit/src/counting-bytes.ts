const wordBytes = 8

/**
 * Bytes whose value tells their place: the stream of all 8-byte big-endian words, word k = k, from byte `offset` on.
 * What was lost, doubled or moved shows as a jump between neighbouring words.
 */
export function countingBytes(offset: number, length: number): Uint8Array {
  const firstWord = Math.floor(offset / wordBytes)
  const skip = offset - firstWord * wordBytes
  const words = Math.ceil((skip + length) / wordBytes)
  const view = new DataView(new ArrayBuffer(words * wordBytes))
  for (let at = 0; at < words; at++) view.setBigUint64(at * wordBytes, BigInt(firstWord + at))
  return new Uint8Array(view.buffer, skip, length)
}

/** The first offset whose byte is not what `countingBytes` has there; undefined when all of `bytes` fit. */
export function checkCounting(bytes: Uint8Array, offset: number): number | undefined {
  const expected = countingBytes(offset, bytes.byteLength)
  const at = expected.findIndex((value, place) => value !== bytes[place])
  return at < 0 ? undefined : offset + at
}
