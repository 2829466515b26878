/** How many bytes at the end of `bytes` begin a UTF-8 character whose rest is still to come (RFC 3629 §3): 0 to 3. */
export function incompleteTail(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.byteLength); back++) {
    const byte = bytes[bytes.byteLength - back] ?? 0
    const isContinuation = (byte & 0xc0) === 0x80
    if (!isContinuation) return back < lengthOf(byte) ? back : 0
  }
  return 0
}

/** Length of the character that `lead` begins; 1 for what cannot begin one. */
function lengthOf(lead: number): number {
  if (lead >= 0xf0 && lead <= 0xf4) return 4
  if (lead >= 0xe0 && lead < 0xf0) return 3
  if (lead >= 0xc2 && lead < 0xe0) return 2
  return 1
}
