import type { Cursor, Gap } from "@serialcast/contract"
import type { StreamEvent } from "@serialcast/device-stream"
import { type ByteAccount, ByteQueue } from "@serialcast/primitives"

/** Consecutive bytes of a stream. */
export interface HistoryPart {
  readonly bytes: ByteQueue
  /** What is missing before the first byte. */
  readonly gap: Gap | null
  /** Where to go on; null when no place became known. */
  readonly next: Cursor | null
}

export interface PartOptions {
  readonly maxBytes: number
  /** Bytes after a gap that comes first are left for the next part. */
  readonly isExact: boolean
  /** What the part is held on. */
  readonly account: ByteAccount
}

/**
 * Takes at most `maxBytes` from `events`, up to the first gap between them, or less when the account has no room for more:
 * the next part goes on there.
 */
export async function collectPart(
  events: AsyncIterable<StreamEvent>,
  { maxBytes, isExact, account }: PartOptions,
): Promise<HistoryPart> {
  const queue = new ByteQueue()
  let gap: Gap | null = null
  let next: Cursor | null = null
  for await (const event of events) {
    if (event.kind === "gap") {
      if (queue.byteLength > 0) break
      gap ??= event.gap
    }
    if (event.kind === "bytes") {
      if (isExact && gap !== null) break
      const bytes = event.bytes.subarray(0, maxBytes - queue.byteLength)
      const isTooMuch = !account.resize(queue.heldBytes + bytes.byteLength)
      // A chunk always fits into what is free for each request.
      if (isTooMuch && queue.byteLength > 0) break
      queue.push(bytes)
      next = { ...event.cursor, offset: event.offset + bytes.byteLength }
      if (queue.byteLength === maxBytes) break
    } else next = event.cursor
  }
  return { bytes: queue, gap, next }
}
