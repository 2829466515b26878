/** How much of a file one frame carries at most. */
export const maxFileChunkBytes = 256

/** How much of a folder's document one frame carries at most: each costs a round trip, and only our own page asks for one. */
export const maxFolderChunkBytes = 8_192

/** What there is besides the official requests, by bits: list and remove. */
const extensions = 0x01

/** `WB` and a code in 16 bits, little-endian; 0: all is well. Has to be one frame. */
export function fileResponse(code: number): Uint8Array {
  return Uint8Array.of(0x57, 0x42, code & 0xff, code >> 8)
}

/** A piece of a file: its length in 16 bits, little-endian, and its bytes; none ends the file. Has to be one frame. */
export function fileChunk(bytes: Uint8Array): Uint8Array {
  const size = bytes.byteLength
  const chunk = new Uint8Array(2 + size)
  chunk[0] = size & 0xff
  chunk[1] = size >> 8
  chunk.set(bytes, 2)
  return chunk
}

/** The firmware's version: major, minor, micro; for who asks, a byte with the extensions behind it. Has to be one frame. */
export function versionResponse(
  [major, minor, micro]: readonly [number, number, number],
  asksExtensions: boolean,
): Uint8Array {
  return Uint8Array.of(major, minor, micro, ...(asksExtensions ? [extensions] : []))
}
