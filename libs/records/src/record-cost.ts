import { isMarkRecord, type Mark, type StreamRecord } from "@serialcast/contract"

/**
 * What a record takes of a ring beside its bytes: 20 bytes of its row, and its share of the blocks' objects and of what
 * the first and the last block leave free. Measured as heap and external memory of rings of 4 MiB, full of chunks of 1 to
 * 1,000 bytes.
 */
export const recordCostBytes = 22

// Its object, the entry that says where it stands, and the heads of its texts. Measured with every kind of mark.
const markCostBytes = 240

// A chunk outside of a ring: its object, and the view of its bytes. Measured.
const objectCostBytes = 180

// The time of one more read in it: an object of two numbers, and its place in the list.
const readCostBytes = 48

// UTF-8 takes three bytes at most for each UTF-16 unit.
const textUnitBytes = 3

/** What a record takes of a ring, in bytes; of a mark it is more than what the mark takes on the wire, too. */
export function costOf(record: StreamRecord): number {
  return recordCostBytes + (isMarkRecord(record) ? costOfMark(record.mark) : record.bytes.byteLength)
}

/** What a mark takes of a ring beside `recordCostBytes`. */
export function costOfMark(mark: Mark): number {
  let units = 0
  for (const value of Object.values(mark)) if (typeof value === "string") units += value.length
  return markCostBytes + units * textUnitBytes
}

/** What a record takes by itself, as an object, in bytes. */
export function costAsObject(record: StreamRecord): number {
  if (isMarkRecord(record)) return costOf(record)
  return objectCostBytes + record.bytes.byteLength + (record.reads?.length ?? 0) * readCostBytes
}
