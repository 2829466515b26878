import type { StreamName } from "@serialcast/contract"
import type { Clock } from "@serialcast/primitives"
import type { Files } from "../disk/files.ts"
import type { RememberedWrite } from "../journal.ts"
import type { Log } from "../log.ts"
import type { SegmentDeps } from "../shelf/segment.ts"
import type { History } from "../shelf/shelf.ts"
import type { StagePair } from "../stage/stage-pair.ts"
import type { JournalNote } from "./journal-note.ts"
import type { StreamEnd } from "./recover.ts"
import type { Redirect } from "./redirect.ts"

export interface DiskJournalDeps {
  readonly clock: Clock
  readonly log: Log
  /** A new journal's identity. */
  readonly createEpoch: () => string
  /** Of the running system; null where it is not known: after an unclean stop, a new epoch begins. */
  readonly bootId: string | null
  /** One for all journals of a process. */
  readonly files: Files
}

/** What a journal starts with. */
export interface Opened {
  readonly deps: DiskJournalDeps
  readonly segmentDeps: SegmentDeps
  /** Where `segmentDeps.onUnreadable` goes. */
  readonly onUnreadable: Redirect<Parameters<SegmentDeps["onUnreadable"]>>
  readonly note: JournalNote
  readonly epoch: string
  /** When it began, in microseconds since 1970, and later than all before it. */
  readonly createdUs: number
  /** Of the epoch. */
  readonly folder: string
  readonly ends: Readonly<Record<StreamName, StreamEnd>>
  readonly history: History
  readonly stages: StagePair | null
  readonly writes: readonly RememberedWrite[]
  readonly opens: number
  /** By how much the wall clock was set since an earlier process of this boot wrote its note, in microseconds. */
  readonly stepUs: number
  /** Deletes what is left of segments that were dropped. */
  readonly removeRemains: () => Promise<void>
}
