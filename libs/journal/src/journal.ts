import type {
  HistoryPage,
  JournalHealth,
  Mark,
  StartPoint,
  StreamExtent,
  StreamName,
  StreamRecord,
} from "@serialcast/contract"
import type { Wakeup } from "@serialcast/primitives"
import type { Position } from "@serialcast/records"

/** A mark before it has its number among the marks at its offset. */
export type NewMark = Mark extends infer M ? (M extends Mark ? Omit<M, "n"> : never) : never

/** A write of the past, as its marks tell it. */
export interface RememberedWrite {
  /** Absent: nobody can repeat it. Of such writes only those without an outcome are remembered. */
  readonly client?: string | undefined
  readonly id: string
  readonly by: string
  /** Cursor of its first byte in the `tx` stream. */
  readonly from: string
  /** How it ended; null: the agent was killed in the middle of it, after `bytes` of its bytes. */
  readonly outcome:
    | { readonly kind: "drained"; readonly bytes: number; readonly to: string; readonly drainedUs: number }
    | { readonly kind: "refused"; readonly bytes: number; readonly code: string }
    | null
  readonly bytes: number
}

/** What a journal was given since this process opened it. */
export interface JournalCounts {
  readonly bytes: Readonly<Record<StreamName, number>>
  /** How often the port was opened. */
  readonly opens: number
  /** Writes that were refused, by code. */
  readonly refusals: ReadonlyMap<string, number>
  /** Of `bytes`, what was shown and will never be on disk. */
  readonly unkeptBytes: number
  /** How many segments of the journal were found that cannot be read, or only in part. */
  readonly unreadableSegments: number
}

/**
 * A device's bounded store of both streams and their marks. What is appended is placed at once, and shown (by `head`,
 * `read`, `page` and `news`) when the kernel has it, or refused to take it, or was given long enough: so nothing that
 * anybody saw of a disk that works is lost with the process. Appending never waits and never throws.
 */
export interface Journal {
  /** 16 lower-case hex digits. */
  readonly epoch: string
  /** How often the port was opened, over all epochs that this journal can remember. */
  readonly opens: number
  readonly health: JournalHealth
  readonly counts: JournalCounts
  /** The newest writes of earlier processes, oldest first. */
  readonly writes: readonly RememberedWrite[]
  /** Wakes when more of that stream is shown. */
  readonly news: Readonly<Record<StreamName, Wakeup>>
  /** Takes over `bytes`. */
  append(stream: StreamName, bytes: Uint8Array): void
  /** Answers the time that it is given, in microseconds since 1970. */
  mark(stream: StreamName, mark: NewMark): number
  /** Where the next append goes, ahead of `head` while the kernel has not taken all. */
  place(stream: StreamName): Position
  /** Resolves when all that was appended until now is shown; null: it is, as with a stage nearly always. */
  settled(): Promise<void> | null
  /** Of the current epoch. */
  extent(stream: StreamName): StreamExtent
  /** Where the next record that is not shown yet will be. */
  head(stream: StreamName): Position
  /** Where the oldest record starts that `read` answers. */
  oldest(stream: StreamName): Position
  /** Where this process began: what is before it was shown by an earlier one. */
  began(stream: StreamName): Position
  /** What comes from `position` on will be read soon: it stays in memory, up to 8 MiB of it. null: nothing is wanted. */
  want(stream: StreamName, position: Position | null): void
  /** Records from `position`, which must not be before `oldest`, at most `maxBytes` bytes of them, from memory. */
  read(stream: StreamName, position: Position, maxBytes: number): readonly StreamRecord[]
  /** Throws `bad_cursor` for a cursor beyond the head, and `overloaded` when too many pages are wanted at once. */
  page(stream: StreamName, from: StartPoint, maxBytes: number): Promise<HistoryPage>
  /** Keeps all that was appended, over a power failure too. */
  close(): Promise<void>
}
