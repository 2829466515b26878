import {
  AppError,
  type Cursor,
  formatCursor,
  type Gap,
  type HistoryPage,
  isMarkRecord,
  type StartPoint,
  type StreamRecord,
} from "@serialcast/contract"
import { comparePositions, endOf, type Position, type RecordRing } from "@serialcast/records"
import { markCostBytes } from "./read-records.ts"

/** Consecutive records of one stream, wherever they are kept. */
export interface Piece {
  readonly isRing: boolean
  readonly epoch: string
  readonly start: Position
  /** Another object whenever it moved. */
  readonly end: Position
  /** When it began, in microseconds since 1970; null: nobody knows. */
  firstUs(): Promise<number | null>
  /** Records from the first one on that ends after `from` and can be read. */
  read(from: Position, maxBytes: number): Promise<readonly StreamRecord[]>
  /** Where the first record of this time or later starts; undefined when all are older. */
  findTime(timeUs: number): Promise<Position | undefined>
}

/** What a journal keeps of a stream: the newest records in memory, and others elsewhere, oldest first. */
export interface Kept {
  readonly epoch: string
  readonly ring: RecordRing
  /** Up to here the ring is shown. */
  readonly shown: Position
  readonly older: readonly Piece[]
}

/** The records at a start point, all of one epoch, and what is missing before them. Throws `bad_cursor`. */
export async function makePage(kept: Kept, from: StartPoint, maxBytes: number): Promise<HistoryPage> {
  const asked = await resolve(kept, from)
  const { first, records } =
    from.kind === "now" ? { first: asked, records: [] } : await readOn(kept, asked, maxBytes)
  const last = records.at(-1)
  const isMissing = from.kind !== "start" && isAhead(first, asked)
  return {
    gap: isMissing ? gapBetween(asked, first) : null,
    first: formatCursor(first),
    records,
    next: formatCursor(last === undefined ? first : { epoch: first.epoch, ...endOf(last) }),
    head: formatCursor(headOf(kept)),
  }
}

async function resolve(kept: Kept, from: StartPoint): Promise<Cursor> {
  const head = headOf(kept)
  switch (from.kind) {
    case "now":
      return head
    case "start":
      return startOf(need(listPieces(kept)[0]))
    case "last": {
      const oldest = startOf(need(listPieces(kept).find(({ epoch }) => epoch === kept.epoch)))
      const wanted = { epoch: kept.epoch, offset: Math.max(0, head.offset - from.bytes), mark: 0 }
      return isAhead(oldest, wanted) ? oldest : wanted
    }
    case "time":
      return await findTime(kept, from.timeUs)
    case "cursor":
      if (from.cursor.epoch === kept.epoch && isAhead(from.cursor, head)) {
        const [asked, end] = [formatCursor(from.cursor), formatCursor(head)]
        throw new AppError("bad_cursor", `${asked} is beyond the head of the stream, ${end}.`)
      }
      return from.cursor
  }
}

async function findTime(kept: Kept, timeUs: number): Promise<Cursor> {
  const pieces = listPieces(kept)
  // Asked first: while the others are read, the ring moves on.
  const inRing = { epoch: kept.epoch, ...findInRing(kept, timeUs) }
  for (const [at, piece] of pieces.entries()) {
    const next = pieces[at + 1]
    if (next === undefined) break
    const nextUs = await next.firstUs()
    if (nextUs !== null && nextUs < timeUs) continue
    const found = await piece.findTime(timeUs)
    if (found !== undefined) return { epoch: piece.epoch, ...found }
  }
  return inRing
}

/** The first records at or after `asked`, and where they start; none only at the head. */
async function readOn(
  kept: Kept,
  asked: Cursor,
  maxBytes: number,
): Promise<{ first: Cursor; records: readonly StreamRecord[] }> {
  let at = asked
  let piece = pieceFor(listPieces(kept), asked)
  for (;;) {
    const start = startOf(piece)
    if (isAhead(start, at)) at = start
    const { end } = piece
    const records = await piece.read(at, maxBytes)
    const [record] = records
    if (record !== undefined) {
      const first = { epoch: piece.epoch, ...startOfRecord(record) }
      return { first: isAhead(first, at) ? first : at, records: addFromRing(kept, piece, records, maxBytes) }
    }
    if (piece.isRing) return { first: at, records }
    // What is kept may have changed while it was read: dropped, grown, or moved on from the ring.
    const pieces = listPieces(kept)
    piece = piece.end === end ? pieceAfter(pieces, piece) : pieceFor(pieces, at)
  }
}

/** What was shown last is in memory only, for a moment: a page does not end there. */
function addFromRing(
  { epoch, ring, shown }: Kept,
  piece: Piece,
  records: readonly StreamRecord[],
  maxBytes: number,
): readonly StreamRecord[] {
  const last = records.at(-1)
  if (piece.isRing || piece.epoch !== epoch || last === undefined) return records
  const end = endOf(last)
  const restBytes = maxBytes - records.reduce((sum, record) => sum + costInPage(record), 0)
  const joins = comparePositions(end, ring.start) >= 0 && comparePositions(end, shown) < 0
  return joins && restBytes > 0 ? [...records, ...ring.read(end, restBytes, shown)] : records
}

/** Oldest first; what the ring has is not read from elsewhere. */
function listPieces(kept: Kept): Piece[] {
  const ring = ringPiece(kept)
  const isOlder = ({ epoch, start }: Piece) => epoch !== ring.epoch || comparePositions(start, ring.start) < 0
  return [...kept.older.filter(isOlder), ring]
}

function ringPiece({ epoch, ring, shown }: Kept): Piece {
  return {
    isRing: true,
    epoch,
    start: ring.start,
    end: shown,
    firstUs: async () => null,
    read: async (from, maxBytes) => ring.read(from, maxBytes, shown),
    findTime: async (timeUs) => findInRing({ ring, shown }, timeUs),
  }
}

function findInRing({ ring, shown }: Pick<Kept, "ring" | "shown">, timeUs: number): Position {
  const found = ring.findTime(timeUs)
  return comparePositions(found, shown) > 0 ? shown : found
}

/** The piece that has what is at `at`, or else what is kept next. */
function pieceFor(pieces: readonly Piece[], at: Cursor): Piece {
  const ofEpoch = pieces.filter(({ epoch }) => epoch === at.epoch)
  return need(ofEpoch.findLast(({ start }) => comparePositions(start, at) <= 0) ?? ofEpoch[0] ?? pieces[0])
}

function pieceAfter(pieces: readonly Piece[], { epoch, start }: Piece): Piece {
  const isLater = (piece: Piece) => piece.epoch === epoch && comparePositions(piece.start, start) > 0
  // Of an epoch that was dropped meanwhile nothing is found: the oldest piece follows on it.
  const behindEpoch = pieces.findLastIndex((piece) => piece.epoch === epoch) + 1
  return need(pieces.find(isLater) ?? pieces[behindEpoch])
}

function need(piece: Piece | undefined): Piece {
  if (piece === undefined) throw new Error("The ring is always there, and comes last.")
  return piece
}

function headOf({ epoch, shown }: Kept): Cursor {
  return { epoch, ...shown }
}

function startOf({ epoch, start }: Piece): Cursor {
  return { epoch, ...start }
}

function startOfRecord(record: StreamRecord): Position {
  return { offset: record.offset, mark: isMarkRecord(record) ? record.mark.n : (record.marks ?? 0) }
}

/** Epochs of other places are ahead: nothing is read backwards. */
function isAhead(place: Cursor, of: Cursor): boolean {
  return place.epoch !== of.epoch || comparePositions(place, of) > 0
}

/** Only within an epoch it can be told how many bytes are missing. */
function gapBetween(from: Cursor, to: Cursor): Gap {
  const bytes = from.epoch === to.epoch ? to.offset - from.offset : null
  return { from: formatCursor(from), to: formatCursor(to), bytes, reason: "evicted" }
}

function costInPage(record: StreamRecord): number {
  return isMarkRecord(record) ? markCostBytes : record.bytes.byteLength
}
