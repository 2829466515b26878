/**
 * `bytes`, or a copy where they are less than half of the buffer that they are in: a message's bytes are a view of what
 * the network read, and keeping them keeps all of it. So what is kept takes at most twice its size.
 */
export function ownBytes(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength * 2 < bytes.buffer.byteLength ? bytes.slice() : bytes
}
