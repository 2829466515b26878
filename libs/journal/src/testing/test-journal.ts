import { mkdtemp, readdir, rm, stat } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import {
  formatCursor,
  isMarkRecord,
  parseCursor,
  type StartPoint,
  type StreamName,
  type StreamRecord,
} from "@serialcast/contract"
import { checkCounting, countingBytes, FakeClock } from "@serialcast/testkit"
import { onTestFinished } from "vitest"
import { createFiles, type Files } from "../disk/files.ts"
import type { DiskJournal, DiskJournalOptions } from "../disk-journal.ts"
import type { Journal } from "../journal.ts"
import { openDiskJournal } from "../open/open-disk-journal.ts"
import type { DiskJournalDeps } from "../open/opened.ts"
import { log } from "./quiet-log.ts"

/** A folder that is gone after the test. */
export async function createFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "serialcast-journal-"))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** Epochs 00…01, 00…02, … */
export function countEpochs(): () => string {
  let count = 0
  return () => String(++count).padStart(16, "0")
}

export type TestOptions = Partial<DiskJournalOptions & DiskJournalDeps> & { readonly dir: string }

/** Closed after the test. */
export async function openTestJournal(options: TestOptions): Promise<DiskJournal> {
  const { clock = new FakeClock(1_000), createEpoch = countEpochs(), bootId = "boot-1" } = options
  const { files = createFiles() } = options
  const defaults = { maxBytes: 64 * 1024 * 1024, maxAgeMs: null, syncMs: 1_000 }
  const journal = await openDiskJournal(
    { ...defaults, ...options },
    { log, ...options, clock, createEpoch, bootId, files },
  )
  onTestFinished(() => journal.close())
  return journal
}

/** Records as text: `offset+length` for a chunk, `offset.n` for a mark. */
export function shape(records: readonly StreamRecord[]): string[] {
  return records.map((record) =>
    isMarkRecord(record)
      ? `${record.offset}.${record.mark.n}`
      : `${record.offset}+${record.bytes.byteLength}`,
  )
}

/** The start point at an offset. */
export const cursorOf = (epoch: string, offset: number): StartPoint => ({
  kind: "cursor",
  cursor: { epoch, offset, mark: 0 },
})

/** So many `countingBytes`, each step of them shown before the next. */
export async function append(journal: Journal, length: number): Promise<void> {
  const step = 60_000
  const end = journal.place("rx").offset + length
  for (let at = journal.place("rx").offset; at < end; at += step) {
    journal.append("rx", countingBytes(at, Math.min(step, end - at)))
    await journal.settled()
  }
}

/** Files that fail as a disk does, while `error` is set. */
export function createFailingFiles(): Files & { error: string | null; syncs: number } {
  const files = createFiles()
  const failing = {
    ...files,
    error: null as string | null,
    syncs: 0,
    open: (...args: Parameters<Files["open"]>) => attempt(() => files.open(...args), args[1] !== "r"),
    write: (...args: Parameters<Files["write"]>) => attempt(() => files.write(...args)),
    sync(file: number) {
      failing.syncs++
      return attempt(() => files.sync(file))
    },
  }
  const attempt = <T>(work: () => Promise<T>, isWriting = true): Promise<T> =>
    failing.error !== null && isWriting
      ? Promise.reject(Object.assign(new Error(`${failing.error}: it fails`), { code: failing.error }))
      : work()
  return failing
}

export interface Span {
  readonly epoch: string
  readonly from: number
  readonly to: number
}

/** What a reader gets. */
export interface ReadThrough {
  /** In order: `from-to` of bytes on end, and `gap` with its size. A new epoch begins a new run. */
  readonly runs: string[]
  /** The runs of bytes, with the epoch of each. */
  readonly spans: readonly Span[]
  /** Of the `closed` marks. */
  readonly reasons: string[]
}

/** Reads page after page up to the head; fails unless all joins on and the bytes are `countingBytes`. */
export async function readThrough(
  journal: Journal,
  {
    stream = "rx",
    from = { kind: "start" },
    pageBytes = () => 60_000,
  }: { stream?: StreamName; from?: StartPoint; pageBytes?: () => number } = {},
): Promise<ReadThrough> {
  const runs: { from: number; to: number; epoch: string }[] = []
  const result = (): ReadThrough => ({
    runs: runs.map(({ from, to }) => (to < 0 ? `gap ${from < 0 ? "?" : from}` : `${from}-${to}`)),
    spans: runs.filter(({ to }) => to >= 0),
    reasons,
  })
  const reasons: string[] = []
  let start = from
  for (;;) {
    const page = await journal.page(stream, start, pageBytes())
    if (page.gap !== null) runs.push({ from: page.gap.bytes ?? -1, to: -1, epoch: "" })
    if (page.records.length === 0) return result()
    let at = need(parseCursor(page.first))
    for (const record of page.records) {
      if (record.offset !== at.offset)
        throw new Error(`At ${formatCursor(at)} comes offset ${record.offset}.`)
      if (isMarkRecord(record)) {
        if (record.mark.n !== at.mark) throw new Error(`At ${formatCursor(at)} comes mark ${record.mark.n}.`)
        if (record.mark.kind === "closed") reasons.push(record.mark.reason)
        at = { ...at, mark: at.mark + 1 }
        continue
      }
      const wrong = checkCounting(record.bytes, at.offset)
      if (wrong !== undefined) throw new Error(`Byte ${wrong} of what is at ${formatCursor(at)} is another.`)
      const to = at.offset + record.bytes.byteLength
      const run = runs.at(-1)
      if (run?.to === at.offset && run.epoch === at.epoch) run.to = to
      else runs.push({ from: at.offset, to, epoch: at.epoch })
      at = { ...at, offset: to, mark: 0 }
    }
    if (page.next !== formatCursor(at)) throw new Error(`After ${formatCursor(at)} comes ${page.next}.`)
    start = { kind: "cursor", cursor: at }
  }
}

function need<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("It is not there.")
  return value
}

/** What the files in a folder and those below it take, in bytes. */
export async function sizeOfFolder(dir: string): Promise<number> {
  let sum = 0
  for (const name of await readdir(dir, { recursive: true })) {
    const status = await stat(join(dir, name)).catch(() => null)
    if (status?.isFile()) sum += status.size
  }
  return sum
}
