import type { Cursor, Gap } from "@serialcast/contract"
import type { StreamEvent } from "@serialcast/device-stream"

/** Consecutive bytes of a stream. */
export interface HistoryPart {
  readonly chunks: readonly Uint8Array[]
  readonly byteLength: number
  /** What is missing before the first byte. */
  readonly gap: Gap | null
  /** Where to go on; null when no place became known. */
  readonly next: Cursor | null
}

/**
 * Takes at most `maxBytes` from `events`, up to the first gap between them. With `isExact`, bytes after a gap that comes
 * first are left for the next part.
 */
export async function collectPart(
  events: AsyncIterable<StreamEvent>,
  { maxBytes, isExact }: { maxBytes: number; isExact: boolean },
): Promise<HistoryPart> {
  const chunks: Uint8Array[] = []
  let byteLength = 0
  let gap: Gap | null = null
  let next: Cursor | null = null
  for await (const event of events) {
    if (event.kind === "gap") {
      if (byteLength > 0) break
      gap ??= event.gap
    }
    if (event.kind === "bytes") {
      if (isExact && gap !== null) break
      const bytes = event.bytes.subarray(0, maxBytes - byteLength)
      chunks.push(bytes)
      byteLength += bytes.byteLength
      next = { ...event.cursor, offset: event.offset + bytes.byteLength }
      if (byteLength === maxBytes) break
    } else next = event.cursor
  }
  return { chunks, byteLength, gap, next }
}
