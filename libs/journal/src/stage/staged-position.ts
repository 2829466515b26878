import type { Position } from "@serialcast/records"
import type { ByteReader } from "../format/byte-reader.ts"
import type { ByteWriter } from "../format/byte-writer.ts"

export function writePosition(into: ByteWriter, { offset, mark }: Position): void {
  into.varint(offset)
  into.varint(mark)
}

export function readPosition(reader: ByteReader): Position {
  return { offset: reader.varint(), mark: reader.varint() }
}
