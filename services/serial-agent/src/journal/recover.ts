import { type StreamName, streamNames } from "@serialcast/contract"
import type { Files } from "./files.ts"
import type { JournalNote, NoteContent } from "./journal-note.ts"
import { type LoadDeps, type LoadedEpoch, loadEpochs } from "./load-epochs.ts"
import type { Segment } from "./segment.ts"
import { createBatch, cutIntoChunks, SegmentWriter } from "./segment-writer.ts"
import { type Tail, verifyTail } from "./verify-tail.ts"

export interface RecoverDeps extends LoadDeps {
  readonly note: JournalNote
  /** Of the running system; null: not known. */
  readonly bootId: string | null
}

export interface Recovered {
  readonly epochs: readonly LoadedEpoch[]
  /** How often the port was opened. */
  readonly opens: number
  /** Where both streams of the newest epoch go on; null: another epoch is to begin. */
  readonly writers: Readonly<Record<StreamName, SegmentWriter>> | null
}

interface LastSegment {
  readonly segment: Segment
  readonly tail: Tail
}

/**
 * Finds what earlier processes left in a device's folder. The newest epoch goes on when nothing of it that was shown can
 * be missing:
 *
 *   the note is there, and of this epoch; the segments that it names are, and are not smaller
 *   it was closed in order, or the system still runs under which it was not: the kernel kept what it had taken
 *   every entry of the last segments is what was written, and so are its bytes
 *
 * Else it ends at its last good record.
 */
export async function recover(folder: string, deps: RecoverDeps): Promise<Recovered> {
  const { files, note, log } = deps
  const epochs = await loadEpochs(folder, deps)
  const noted = await note.read()
  const newest = epochs.at(-1)
  if (newest === undefined) return { epochs, opens: 0, writers: null }
  const goesOn = noted !== null && isTrusted(noted, newest, deps.bootId)
  const rx = await verifyLast(files, newest.segments.rx)
  const tx = await verifyLast(files, newest.segments.tx)
  const opens = Math.max(rx?.tail.opens ?? 0, tx?.tail.opens ?? 0, ...epochs.map((epoch) => epoch.opens))
  if (goesOn && rx !== null && tx !== null && !rx.tail.isDamaged && !tx.tail.isDamaged) {
    return { epochs, opens, writers: await goOn({ rx, tx }, deps) }
  }
  log.warn({ epoch: newest.epoch }, "bytes that were shown may be missing in the journal: a new epoch begins")
  // First: once its damage is cut off, the epoch looks whole.
  await note.write(null)
  for (const last of [rx, tx]) if (last !== null) await cut(last, deps)
  return { epochs, opens, writers: null }
}

function isTrusted(note: NoteContent, { epoch, segments }: LoadedEpoch, bootId: string | null): boolean {
  const isSameBoot = bootId === null || note.bootId === null || note.bootId === bootId
  if (note.epoch !== epoch || !(note.isClean || isSameBoot)) return false
  return streamNames.every((stream) => {
    const { name, dataBytes, indexBytes } = note.newest[stream]
    const extent = segments[stream].find((segment) => segment.name === name)?.extent
    return extent !== undefined && extent.dataBytes >= dataBytes && extent.indexBytes >= indexBytes
  })
}

async function verifyLast(files: Files, segments: readonly Segment[]): Promise<LastSegment | null> {
  const segment = segments.at(-1)
  return segment === undefined ? null : { segment, tail: await verifyTail(files, segment) }
}

/** null when the disk does not take what is to be kept. */
async function goOn(
  { rx, tx }: Readonly<Record<StreamName, LastSegment>>,
  { files, note, log }: RecoverDeps,
): Promise<Recovered["writers"]> {
  const opened: SegmentWriter[] = []
  const resume = async ({ segment, tail }: LastSegment) => {
    segment.correct(tail.extent)
    const writer = await SegmentWriter.resume(files, segment)
    opened.push(writer)
    await adopt(writer, tail)
    return writer
  }
  try {
    return { rx: await resume(rx), tx: await resume(tx) }
  } catch (error) {
    log.warn({ reason: String(error) }, "the journal cannot go on: a new epoch begins")
    await note.write(null)
    for (const writer of opened) await writer.close()
    return null
  }
}

/** Keeps what was read but never shown. */
async function adopt(
  writer: SegmentWriter,
  { extra, extent: { end, lastUs }, modifiedUs }: Tail,
): Promise<void> {
  const timeUs = Math.max(lastUs, modifiedUs)
  const records = cutIntoChunks(extra, end.offset).map((chunk) => ({ ...chunk, timeUs }))
  // The bytes are written where they are already: an end in the middle of this changes nothing.
  if (records.length > 0) await writer.write(createBatch(end, records))
  await writer.trim()
}

async function cut({ segment, tail }: LastSegment, { files, log }: RecoverDeps): Promise<void> {
  segment.correct(tail.extent)
  try {
    const writer = await SegmentWriter.resume(files, segment)
    try {
      await writer.trim()
    } finally {
      await writer.close()
    }
  } catch (error) {
    // Pages go by the index up to its damage: what is behind it is only seen by those who look at the files.
    log.warn({ segment: segment.name, reason: String(error) }, "the journal's damaged end cannot be cut off")
  }
}
