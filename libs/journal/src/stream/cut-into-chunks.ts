// Each has its own checksum: a page that begins in the middle of one reads as much in vain.
const maxChunkBytes = 16 * 1024

/** Bytes as pieces that each fit into an entry of the index. */
export function cutIntoChunks(bytes: Uint8Array, offset: number): { offset: number; bytes: Uint8Array }[] {
  if (bytes.byteLength <= maxChunkBytes) return bytes.byteLength === 0 ? [] : [{ offset, bytes }]
  return Array.from({ length: Math.ceil(bytes.byteLength / maxChunkBytes) }, (_, count) => {
    const at = count * maxChunkBytes
    return { offset: offset + at, bytes: bytes.subarray(at, at + maxChunkBytes) }
  })
}
