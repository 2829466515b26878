import type { Segment, SegmentExtent } from "../shelf/segment.ts"
import type { NotedSegment } from "./journal-note.ts"

/** What a note says of a stream's newest segment; null: there is none. */
export function noteEnd(
  newest: { readonly segment: Segment; readonly extent: SegmentExtent } | null,
): NotedSegment | null {
  if (newest === null) return null
  const { dataBytes, indexBytes, end, lastUs } = newest.extent
  return { name: newest.segment.name, dataBytes, indexBytes, end, lastUs }
}
