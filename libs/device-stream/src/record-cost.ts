import { isMarkRecord, type Mark, type StreamRecord } from "@serialcast/contract"

// What a record costs beside its bytes and texts, roughly: object, view and place in the array; more than the fixed
// fields of an encoded mark.
const recordCostBytes = 160

// UTF-8 takes three bytes at most for each UTF-16 unit.
const textUnitBytes = 3

/** What a record takes in memory, and at most on the wire, in bytes. */
export function costOf(record: StreamRecord): number {
  return recordCostBytes + (isMarkRecord(record) ? textBytesOf(record.mark) : record.bytes.byteLength)
}

function textBytesOf(mark: Mark): number {
  let units = 0
  for (const value of Object.values(mark)) if (typeof value === "string") units += value.length
  return units * textUnitBytes
}
