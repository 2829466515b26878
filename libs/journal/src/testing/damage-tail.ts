import { open, readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import type { StreamName } from "@serialcast/contract"
import type { SeededRandom } from "@serialcast/testkit"

/**
 * Does to the newest segment of a stream what a power failure may do: of what was written last some is not there, or is zeros.
 * Answers the offset up to which bytes are untouched, and untouched entries of the index tell of them.
 */
export async function damageTail(folder: string, stream: StreamName, random: SeededRandom): Promise<number> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.startsWith(stream)).sort()
  const [data, index] = ["bytes", "index"].map((suffix) => names.findLast((name) => name.endsWith(suffix)))
  // All of it was in the stage.
  if (data === undefined || index === undefined) return 0
  const firstOffset = Number(data.slice(3, 19))
  const entries = await readFile(join(folder, index))
  const dataBytes = await damage(join(folder, data), random)
  return firstOffset + toldBytes(entries, await damage(join(folder, index), random), dataBytes)
}

/** Answers how many bytes are as they were. */
async function damage(path: string, random: SeededRandom): Promise<number> {
  const file = await open(path, "r+")
  try {
    const { size } = await file.stat()
    const lost = Math.min(size, Math.floor(random.next() * 3_000))
    const choice = random.next()
    if (choice >= 0.7) return size
    if (choice < 0.4) await file.truncate(size - lost)
    else await file.write(new Uint8Array(lost), 0, lost, size - lost)
    return size - lost
  } finally {
    await file.close()
  }
}

/** How many bytes the first `indexBytes` of an index tell of whose entries lie in `dataBytes` as a whole. */
function toldBytes(index: Uint8Array, indexBytes: number, dataBytes: number): number {
  const view = new DataView(index.buffer, index.byteOffset, index.byteLength)
  let told = 0
  for (let at = 0; at + 2 <= indexBytes; ) {
    const length = view.getUint16(at)
    if (at + length > indexBytes) break
    // Kind `b`: the offset in the segment, and how many, seven bits in each byte.
    if (index[at + 8] === 0x62) {
      const [offset, next] = readVarint(index, at + 9)
      const end = offset + readVarint(index, next)[0]
      if (end > dataBytes) break
      told = end
    }
    at += length
  }
  return told
}

function readVarint(bytes: Uint8Array, at: number): [value: number, next: number] {
  for (let value = 0, scale = 1; ; scale *= 128) {
    const byte = bytes[at++] ?? 0
    value += (byte & 127) * scale
    if (byte < 128) return [value, at]
  }
}
