import { type StreamName, type StreamRecord, streamNames } from "@serialcast/contract"
import { comparePositions, endOf, type Position } from "@serialcast/records"
import { errorCodeOf } from "../disk/disk-error.ts"
import type { Files } from "../disk/files.ts"
import type { Log } from "../log.ts"
import type { Segment, SegmentDeps, SegmentExtent } from "../shelf/segment.ts"
import type { FilesEnd } from "../stage/files-end.ts"
import type { StageContent } from "../stage/stage.ts"
import type { FoundStages } from "../stage/stage-pair.ts"
import { type Decision, decide } from "./decide.ts"
import { type FoundEpoch, type FoundFolder, findEpochs } from "./find-epochs.ts"
import type { JournalNote, NoteContent, NotedSegment, NotedTime } from "./journal-note.ts"
import { proveEnd } from "./prove-end.ts"

export interface RecoverDeps extends SegmentDeps {
  readonly log: Log
  readonly note: JournalNote
  /** Of the running system; null: not known. */
  readonly bootId: string | null
  /** null: no earlier process of this boot left any. */
  readonly stages: FoundStages | null
}

/** Where a stream goes on. */
export interface StreamEnd {
  /** Where the files end. */
  readonly kept: Position
  /** What a stage has behind it, in order. */
  readonly staged: readonly StreamRecord[]
  /** Readers may have had all before this; not before `kept`. */
  readonly shown: Position
  /** The segment that can go on, and how far it is valid; null: the next record begins one. */
  readonly newest: { readonly segment: Segment; readonly extent: SegmentExtent } | null
}

export interface Recovered extends FoundFolder {
  readonly decision: Decision
  /** null: another epoch is to begin. */
  readonly ends: Readonly<Record<StreamName, StreamEnd>> | null
  /** How often the port was opened. */
  readonly opens: number
  /** When the newest note was written, if that was in this boot. */
  readonly noted: NotedTime | null
}

/**
 * Finds what earlier processes left in a device's folder. It only reads: whoever gives up waiting for it leaves nothing
 * behind that could still write.
 */
export async function recover(folder: string, deps: RecoverDeps): Promise<Recovered> {
  const { note, bootId, stages, log } = deps
  const found = await findEpochs(folder, deps)
  const noted = await note.read()
  const newest = found.epochs.at(-1)
  const stage = stages === null ? null : evidenceOf(stages)
  const decision = decide({ bootId, note: noted, newestEpoch: newest?.epoch ?? null, stage })
  const time = noted !== null && noted.bootId === bootId ? noted.time : null
  const known = { ...found, noted: time }
  const outcome = await follow(decision, found.epochs, noted, deps)
  if (outcome.ends === null) {
    const opens = Math.max(noted?.opens ?? 0, outcome.opens, await lastOpens(newest, deps))
    if (newest !== undefined)
      log.warn(
        { epoch: newest.epoch, reason: outcome.why },
        "bytes that were shown may be missing in the journal: a new epoch begins",
      )
    return { ...known, decision: { how: "anew", why: outcome.why }, ends: null, opens }
  }
  const opens = Math.max(noted?.opens ?? 0, outcome.opens)
  return { ...known, ...withoutBegun(known, decision, outcome.ends), decision, ends: outcome.ends, opens }
}

/**
 * Segments that begin where a stream goes on have nothing that was kept: a process ended before it told of them. They are
 * begun again in the same files, or are in the way of nobody.
 */
function withoutBegun(
  { epochs, others }: FoundFolder,
  decision: Decision,
  ends: Readonly<Record<StreamName, StreamEnd>>,
): Pick<FoundFolder, "epochs" | "others"> {
  const begun: string[] = []
  const keep = (stream: StreamName, segments: readonly Segment[]) =>
    segments.filter((segment) => {
      const { kept, newest } = ends[stream]
      const isKept = segment === newest?.segment || comparePositions(segment.start, kept) < 0
      if (!isKept) begun.push(segment.path("bytes"), segment.path("index"))
      return isKept
    })
  const own = decision.how === "anew" ? null : decision.epoch
  const cleaned = epochs.map((epoch) =>
    epoch.epoch === own
      ? { ...epoch, segments: { rx: keep("rx", epoch.segments.rx), tx: keep("tx", epoch.segments.tx) } }
      : epoch,
  )
  return { epochs: cleaned, others: [...others, ...begun] }
}

function evidenceOf({ epoch, id, madeMs, contents }: FoundStages) {
  const hasFiles = streamNames.some((stream) => contents[stream].files !== null)
  return { epoch, id, madeMs, hasFiles }
}

type Outcome =
  | { readonly ends: Readonly<Record<StreamName, StreamEnd>>; readonly opens: number }
  | { readonly ends: null; readonly opens: number; readonly why: string }

async function follow(
  decision: Decision,
  epochs: readonly FoundEpoch[],
  noted: NoteContent | null,
  deps: RecoverDeps,
): Promise<Outcome> {
  const { stages, files } = deps
  const newest = epochs.at(-1)
  if (decision.how === "anew") return { ends: null, opens: 0, why: decision.why }
  if (decision.how === "stage" && stages !== null) return await followStages(stages, epochs, files)
  if (noted === null) return { ends: null, opens: 0, why: "its note is missing" }
  const rx = await followFiles("rx", { decision, newest, noted, files })
  const tx = await followFiles("tx", { decision, newest, noted, files })
  const opens = Math.max(rx?.opens ?? 0, tx?.opens ?? 0)
  if (rx === null || tx === null)
    return { ends: null, opens, why: "the end of what was kept is missing or damaged" }
  return { ends: { rx: rx.end, tx: tx.end }, opens }
}

async function followStages(
  { epoch, contents }: FoundStages,
  epochs: readonly FoundEpoch[],
  files: Files,
): Promise<Outcome> {
  const found = epochs.find((one) => one.epoch === epoch)
  const follow = async (stream: StreamName): Promise<StreamEnd> => {
    const end = contents[stream].files
    const last = found?.segments[stream].at(-1)
    // One that was begun behind it has nothing that the stage has not, and is begun again.
    const isLast =
      end !== null &&
      end.indexBytes > 0 &&
      last !== undefined &&
      comparePositions(last.start, end.start) === 0
    const isThere = isLast && (await reaches(files, last, end))
    return {
      ...endByStage(contents[stream]),
      newest: isThere ? { segment: last, extent: extentOf(end) } : null,
    }
  }
  const ends = { rx: await follow("rx"), tx: await follow("tx") }
  return { ends, opens: opensIn(contents.rx.records, contents.rx.files?.opens ?? 0) }
}

/** Where a stream goes on, as far as its stage tells. */
export function endByStage({ records, shown, files }: StageContent): StreamEnd {
  const kept = files?.position ?? { offset: 0, mark: 0 }
  const staged = records.filter((record) => comparePositions(endOf(record), kept) > 0)
  const lastEnd = staged.map(endOf).at(-1) ?? kept
  return { kept, staged, shown: comparePositions(shown, lastEnd) > 0 ? shown : lastEnd, newest: null }
}

interface FilesKnown {
  readonly decision: Decision
  readonly newest: FoundEpoch | undefined
  readonly noted: NoteContent
  readonly files: Files
}

/** null when the stream does not end as the note says. */
async function followFiles(
  stream: StreamName,
  { decision, newest, noted, files }: FilesKnown,
): Promise<{ end: StreamEnd; opens: number } | null> {
  const known = noted.newest[stream]
  const segments = newest?.segments[stream] ?? []
  const last = segments.at(-1)
  if (known === null && last === undefined) return { end: endAt({ offset: 0, mark: 0 }, null), opens: 0 }
  const namedAt = segments.findIndex(({ name }) => name === known?.name)
  if (last === undefined || (known !== null && namedAt < 0)) return null
  if (decision.how === "clean") return known === null ? null : await followNote(files, last, known)
  if (known !== null && !(await reaches(files, segments[namedAt] ?? last, known))) return null
  const { extent, isProven, opens } = await proveEnd(files, last)
  return isProven ? { end: endAt(extent.end, { segment: last, extent }), opens } : null
}

async function followNote(
  files: Files,
  last: Segment,
  known: NotedSegment,
): Promise<{ end: StreamEnd; opens: number } | null> {
  if (last.name !== known.name || !(await reaches(files, last, known))) return null
  if (known.end !== null) {
    const { dataBytes, indexBytes, end, lastUs } = known
    return { end: endAt(end, { segment: last, extent: { dataBytes, indexBytes, end, lastUs } }), opens: 0 }
  }
  const { extent, isProven, opens } = await proveEnd(files, last, known)
  return isProven ? { end: endAt(extent.end, { segment: last, extent }), opens } : null
}

function endAt(kept: Position, newest: StreamEnd["newest"]): StreamEnd {
  // One without a header was not begun: it is begun again.
  const isBegun = newest !== null && newest.extent.indexBytes > 0
  return { kept, staged: [], shown: kept, newest: isBegun ? newest : null }
}

/** Whether both files are there, and not smaller than they were. */
async function reaches(
  files: Files,
  segment: Segment,
  { dataBytes, indexBytes }: Pick<SegmentExtent, "dataBytes" | "indexBytes">,
): Promise<boolean> {
  try {
    return (
      (await files.measure(segment.path("index"))) >= indexBytes &&
      (await files.measure(segment.path("bytes"))) >= dataBytes
    )
  } catch (error) {
    if (errorCodeOf(error) === "ENOENT") return false
    throw error
  }
}

function extentOf({ dataBytes, indexBytes, position, lastUs }: FilesEnd): SegmentExtent {
  return { dataBytes, indexBytes, end: position, lastUs }
}

/** How often the port had been opened when an epoch ended that is not gone on with. */
async function lastOpens(newest: FoundEpoch | undefined, { files }: RecoverDeps): Promise<number> {
  let opens = 0
  for (const stream of streamNames) {
    const last = newest?.segments[stream].at(-1)
    if (last === undefined) continue
    try {
      opens = Math.max(opens, (await proveEnd(files, last)).opens)
    } catch {
      // What cannot be read tells nothing; the next opening counts on from what the other stream knows.
    }
  }
  return opens
}

function opensIn(records: readonly StreamRecord[], before: number): number {
  const opened = records.flatMap((record) =>
    "mark" in record && record.mark.kind === "opened" ? [record.mark.open] : [],
  )
  return Math.max(before, ...opened)
}
