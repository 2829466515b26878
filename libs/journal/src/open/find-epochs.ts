import { join } from "node:path"
import { isEpoch, type StreamName, streamNames } from "@serialcast/contract"
import { comparePositions } from "@serialcast/records"
import { errorCodeOf } from "../disk/disk-error.ts"
import type { Files } from "../disk/files.ts"
import { parseSegmentName } from "../format/segment-name.ts"
import { Segment, type SegmentDeps } from "../shelf/segment.ts"

/** What a device's folder has of one epoch. */
export interface FoundEpoch {
  readonly epoch: string
  readonly folder: string
  /** When it began, as its newest header says that can be read, in microseconds since 1970; 0: none can. */
  readonly createdUs: number
  /** Oldest first. */
  readonly segments: Readonly<Record<StreamName, readonly Segment[]>>
}

export interface FoundFolder {
  /** Oldest first. */
  readonly epochs: readonly FoundEpoch[]
  /** Paths of files that are no segment's. */
  readonly others: readonly string[]
  /** Paths of files that a process left which was killed while it deleted their segment. */
  readonly remains: readonly string[]
}

// Of a file system that is damaged, a header or two may be unreadable.
const maxHeaders = 4

/**
 * Lists what is kept in `folder`, by names alone, where there is but one epoch: so that it takes no longer when more is
 * kept. Changes nothing. Throws what the disk throws, but for a folder that is not there.
 */
export async function findEpochs(folder: string, deps: SegmentDeps): Promise<FoundFolder> {
  const names = await list(deps.files, folder)
  const others = names.filter((name) => !isEpoch(name)).map((name) => join(folder, name))
  const remains: string[] = []
  const epochs: FoundEpoch[] = []
  for (const epoch of names.filter(isEpoch)) {
    const place = { epoch, folder: join(folder, epoch) }
    const files = groupFiles(place.folder, await list(deps.files, place.folder))
    others.push(...files.others)
    const segments = { rx: toSegments("rx", files, place, deps), tx: toSegments("tx", files, place, deps) }
    for (const stream of streamNames) {
      remains.push(...segments[stream].remains)
      others.push(...segments[stream].begun)
    }
    const found = { rx: segments.rx.whole, tx: segments.tx.whole }
    if (found.rx.length + found.tx.length > 0) epochs.push({ ...place, createdUs: 0, segments: found })
  }
  return { epochs: await inOrder(epochs), others, remains }
}

async function list(files: Files, folder: string): Promise<string[]> {
  try {
    return await files.list(folder)
  } catch (error) {
    if (errorCodeOf(error) === "ENOENT") return []
    throw error
  }
}

interface GroupedFiles {
  /** Suffixes by segment name. */
  readonly bySegment: ReadonlyMap<string, readonly string[]>
  readonly others: readonly string[]
}

function groupFiles(folder: string, names: readonly string[]): GroupedFiles {
  const bySegment = new Map<string, string[]>()
  const others: string[] = []
  for (const name of names) {
    const dot = name.lastIndexOf(".")
    const [segment, suffix] = [name.slice(0, dot), name.slice(dot + 1)]
    const isSegment = (suffix === "bytes" || suffix === "index") && parseSegmentName(segment) !== undefined
    if (!isSegment) others.push(join(folder, name))
    else bySegment.set(segment, [...(bySegment.get(segment) ?? []), suffix])
  }
  return { bySegment, others }
}

/**
 * Segments are deleted oldest first, and their index first: bytes alone, before all others, are what is left of one. They are
 * begun by their bytes: bytes alone, behind all others, are those of a segment that was not.
 */
function toSegments(
  stream: StreamName,
  { bySegment }: GroupedFiles,
  place: { readonly epoch: string; readonly folder: string },
  deps: SegmentDeps,
): { readonly whole: Segment[]; readonly remains: string[]; readonly begun: string[] } {
  const segments = [...bySegment.keys()]
    .flatMap((name) => parseSegmentName(name) ?? [])
    .filter((name) => name.stream === stream)
    .sort((a, b) => comparePositions(a.start, b.start))
    .map(({ start }) => Segment.found(deps, { ...place, stream, start }))
  const hasIndex = ({ name }: Segment) => bySegment.get(name)?.includes("index") === true
  const first = segments.findIndex(hasIndex)
  const last = segments.findLastIndex(hasIndex)
  const bytesOf = (alone: readonly Segment[]) => alone.map((segment) => segment.path("bytes"))
  if (first < 0) return { whole: [], remains: [], begun: bytesOf(segments) }
  const begun = bytesOf(segments.slice(last + 1))
  return { whole: segments.slice(first, last + 1), remains: bytesOf(segments.slice(0, first)), begun }
}

async function inOrder(epochs: readonly FoundEpoch[]): Promise<FoundEpoch[]> {
  if (epochs.length < 2) return [...epochs]
  const dated: FoundEpoch[] = []
  // One after the other: there may be thousands, and reading is for a few at a time.
  for (const epoch of epochs) dated.push({ ...epoch, createdUs: await readCreated(epoch) })
  return dated.sort((a, b) => a.createdUs - b.createdUs)
}

async function readCreated({ segments }: FoundEpoch): Promise<number> {
  const newestFirst = [
    ...segments.rx.toReversed().slice(0, maxHeaders),
    ...segments.tx.toReversed().slice(0, maxHeaders),
  ]
  for (const segment of newestFirst) {
    const found = await segment.readHeader()
    if (found !== null) return found.header.createdUs
  }
  return 0
}
