import type {
  HistoryPage,
  Mark,
  StartPoint,
  StreamExtent,
  StreamName,
  StreamRecord,
} from "@serialcast/contract"
import type { Position } from "@serialcast/device-stream"
import type { Wakeup } from "@serialcast/primitives"

/** A mark before it has its number among the marks at its offset. */
export type NewMark = Mark extends infer M ? (M extends Mark ? Omit<M, "n"> : never) : never

/** A device's bounded store of both streams and their marks. */
export interface Journal {
  /** 16 lower-case hex digits. */
  readonly epoch: string
  /** Wakes after each append and mark in that stream. */
  readonly news: Readonly<Record<StreamName, Wakeup>>
  append(stream: StreamName, bytes: Uint8Array): void
  mark(stream: StreamName, mark: NewMark): void
  extent(stream: StreamName): StreamExtent
  /** Where the next record goes. */
  head(stream: StreamName): Position
  /** Where the oldest record that is kept starts. */
  oldest(stream: StreamName): Position
  /** Records from `position`, which must be kept, at most `maxBytes` bytes of them. */
  read(stream: StreamName, position: Position, maxBytes: number): readonly StreamRecord[]
  /** Throws `bad_cursor` for a cursor beyond the head. */
  page(stream: StreamName, from: StartPoint, maxBytes: number): HistoryPage
}
