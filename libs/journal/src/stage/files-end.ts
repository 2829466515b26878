import type { Position } from "@serialcast/records"
import type { ByteReader } from "../format/byte-reader.ts"
import type { ByteWriter } from "../format/byte-writer.ts"
import { readPosition, writePosition } from "./staged-position.ts"

/** How far the journal's files have a stream: to the end of its newest segment. */
export interface FilesEnd {
  readonly position: Position
  /** The segment's start, which is its name. */
  readonly start: Position
  readonly dataBytes: number
  readonly indexBytes: number
  /** When its last record was made, in microseconds since 1970. */
  readonly lastUs: number
  /** How often the port had been opened. */
  readonly opens: number
}

export function writeFilesEnd(into: ByteWriter, end: FilesEnd): void {
  writePosition(into, end.position)
  writePosition(into, end.start)
  into.varint(end.dataBytes)
  into.varint(end.indexBytes)
  into.varint(end.lastUs)
  into.varint(end.opens)
}

export function readFilesEnd(reader: ByteReader): FilesEnd {
  return {
    position: readPosition(reader),
    start: readPosition(reader),
    dataBytes: reader.varint(),
    indexBytes: reader.varint(),
    lastUs: reader.varint(),
    opens: reader.varint(),
  }
}
