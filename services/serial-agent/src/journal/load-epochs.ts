import { join } from "node:path"
import { AppError, isEpoch, type StreamName, streamNames } from "@serialcast/contract"
import { comparePositions } from "@serialcast/device-stream"
import type { Logger } from "@serialcast/service-kit"
import { errorCodeOf } from "./disk-error.ts"
import type { Files } from "./files.ts"
import { decodeEntry, findEntry, type SegmentHeader } from "./index-entry.ts"
import { Segment, type SegmentDeps, type SegmentPlace } from "./segment.ts"
import { formatSegmentName, parseSegmentName } from "./segment-name.ts"

const indexSuffix = ".index"
// Twice what one takes.
const maxHeaderBytes = 512

/** What a device's folder has of one epoch. */
export interface LoadedEpoch {
  readonly epoch: string
  readonly folder: string
  readonly createdUs: number
  /** The highest count of openings that a header tells. */
  readonly opens: number
  readonly segments: Readonly<Record<StreamName, readonly Segment[]>>
}

export interface LoadDeps extends SegmentDeps {
  readonly log: Logger
}

/** Lists what is kept in `folder`, oldest first, by the headers alone. Segments without a good one are left alone. */
export async function loadEpochs(folder: string, deps: LoadDeps): Promise<LoadedEpoch[]> {
  await deps.files.makeFolder(folder)
  const epochs: LoadedEpoch[] = []
  for (const epoch of (await deps.files.list(folder)).filter(isEpoch)) {
    const found = await loadSegments({ folder: join(folder, epoch), epoch }, deps)
    if (found.length > 0) epochs.push(toEpoch(join(folder, epoch), epoch, found))
  }
  epochs.sort((a, b) => a.createdUs - b.createdUs)
  for (const stream of streamNames) endAtNext(epochs.flatMap(({ segments }) => segments[stream]))
  return epochs
}

interface Found {
  readonly segment: Segment
  readonly header: SegmentHeader
}

function toEpoch(folder: string, epoch: string, found: readonly Found[]): LoadedEpoch {
  const ofStream = (wanted: StreamName) =>
    found
      .map(({ segment }) => segment)
      .filter(({ place }) => place.stream === wanted)
      .sort((a, b) => comparePositions(a.start, b.start))
  const headers = found.map(({ header }) => header)
  return {
    epoch,
    folder,
    createdUs: Math.max(...headers.map(({ createdUs }) => createdUs)),
    opens: Math.max(...headers.map(({ opens }) => opens)),
    segments: { rx: ofStream("rx"), tx: ofStream("tx") },
  }
}

async function loadSegments(place: { folder: string; epoch: string }, deps: LoadDeps): Promise<Found[]> {
  const found: Found[] = []
  for (const file of await deps.files.list(place.folder)) {
    const name = file.endsWith(indexSuffix) ? parseSegmentName(file.slice(0, -indexSuffix.length)) : undefined
    if (name === undefined) continue
    try {
      found.push(await loadSegment({ ...place, ...name }, deps))
    } catch (error) {
      // Other errors are the disk's, and say nothing of the file.
      if (!(error instanceof AppError) && errorCodeOf(error) !== "ENOENT") throw error
      deps.log.warn(
        { file, reason: String(error) },
        "a segment of the journal cannot be read, and is left alone",
      )
    }
  }
  return found
}

async function loadSegment(place: SegmentPlace, deps: LoadDeps): Promise<Found> {
  const { files } = deps
  // The extent of a segment of its own is not known yet: only its paths are asked for.
  const name = formatSegmentName(place.stream, place.start)
  const index = await files.open(join(place.folder, `${name}${indexSuffix}`), "r")
  try {
    const data = await files.open(join(place.folder, `${name}.bytes`), "r")
    try {
      const { header, timeUs } = await readHeader(files, index, place)
      const dataBytes = (await files.status(data)).sizeBytes
      const indexBytes = (await files.status(index)).sizeBytes
      const end = { offset: place.start.offset + dataBytes, mark: 0 }
      const extent = { dataBytes, indexBytes, end, firstUs: timeUs, lastUs: timeUs }
      return { header, segment: new Segment(deps, place, extent) }
    } finally {
      await files.close(data)
    }
  } finally {
    await files.close(index)
  }
}

async function readHeader(files: Files, index: number, { epoch, stream, start }: SegmentPlace) {
  const block = new Uint8Array(maxHeaderBytes)
  const got = await files.read(index, block, 0)
  const raw = findEntry(new DataView(block.buffer, 0, got), 0)
  const entry = typeof raw === "string" ? undefined : decodeEntry(raw)
  const isOwn = entry?.kind === "header" && entry.header.epoch === epoch && entry.header.stream === stream
  if (!isOwn || comparePositions(entry.start, start) !== 0) {
    throw new AppError("journal_failed", "Its index does not begin with the header of this segment.")
  }
  return entry
}

/** A segment's last record is not younger than the next segment: its index need not be read for that. */
function endAtNext(segments: readonly Segment[]): void {
  for (const [at, segment] of segments.entries()) {
    const next = segments[at + 1]
    if (next !== undefined) segment.correct({ lastUs: next.firstUs })
  }
}
