import { crc32 } from "node:zlib"
import { ByteReader } from "../format/byte-reader.ts"
import { ByteWriter } from "../format/byte-writer.ts"
import type { StageMemory } from "./stage-memory.ts"

const slotBytes = 128
const contentAt = 12

/** A value that is replaced as a whole: its two places are written in turn, and the newer whole one counts. */
export class Slot {
  readonly #memory: StageMemory
  readonly #at: number
  readonly #into = new ByteWriter(slotBytes)
  #count = 0

  constructor(memory: StageMemory, at: number) {
    this.#memory = memory
    this.#at = at
  }

  /** What `writeContent` writes must fit into 100 bytes. Throws what the memory throws. */
  write(writeContent: (into: ByteWriter) => void): void {
    const into = this.#into
    this.#count++
    into.clear()
    into.u32(0)
    into.u32(this.#count)
    into.u32(0)
    writeContent(into)
    into.setU32(8, into.length)
    into.setU32(0, crc32(into.view(4)))
    this.#memory.write(into.view(), this.#at + (this.#count % 2) * slotBytes)
  }

  /** undefined when nothing was ever written. */
  read<T>(readContent: (reader: ByteReader) => T): T | undefined {
    let newest: T | undefined
    for (const place of [0, 1]) {
      const bytes = new Uint8Array(slotBytes)
      if (this.#memory.read(bytes, this.#at + place * slotBytes) < slotBytes) continue
      const view = new DataView(bytes.buffer)
      const length = view.getUint32(8)
      if (length < contentAt || length > slotBytes) continue
      if (crc32(bytes.subarray(4, length)) !== view.getUint32(0)) continue
      const count = view.getUint32(4)
      if (count <= this.#count) continue
      this.#count = count
      newest = readContent(new ByteReader(view, contentAt, length))
    }
    return newest
  }
}
