import type { Cursor, Gap, Mark, ReadTime } from "@serialcast/contract"

/** The reader has all that there is. */
export interface QuietEvent {
  readonly kind: "quiet"
  /** Nothing more was read from the port up to then, in microseconds since 1970, as the agent tells; null: it has not yet. */
  readonly timeUs: number | null
}

/** What a reader gets: every offset once and in order, or a gap. */
export type StreamEvent =
  /**
   * Always first: where the reading starts. null: not known yet, because the agent is away; then a second one, with
   * the place, comes before anything else.
   */
  | { readonly kind: "positioned"; readonly cursor: Cursor | null }
  | {
      readonly kind: "bytes"
      /** After the bytes: where a reader resumes that has them. */
      readonly cursor: Cursor
      readonly offset: number
      /** Microseconds since 1970 at which the first byte was read. */
      readonly timeUs: number
      readonly bytes: Uint8Array
      /** Bytes that were read later than the first ones, in order. Absent: all were read at once. */
      readonly reads?: readonly ReadTime[]
    }
  | { readonly kind: "mark"; readonly cursor: Cursor; readonly timeUs: number; readonly mark: Mark }
  | { readonly kind: "gap"; readonly cursor: Cursor; readonly gap: Gap }
