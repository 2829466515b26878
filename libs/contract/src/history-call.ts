import { z } from "zod"
import { callBy, callId } from "./call-fields.ts"
import { parseCursor } from "./cursor.ts"
import { maxChunkBytes } from "./limits.ts"
import { checkReply, ReplyParcel } from "./reply.ts"
import { recordFromWire, recordToWire, type StreamRecord } from "./stream-message.ts"

/** Asks for a page of a stream. */
export interface HistoryRequest {
  readonly id: string
  readonly by: string
  readonly stream: "rx" | "tx"
  /** A start point other than `now`. */
  readonly from: string
  readonly maxBytes: number
}

/** Bytes that cannot be had. `from` and `to` are cursors; `bytes` is null when nobody knows how many. */
export interface Gap {
  readonly from: string
  readonly to: string
  readonly bytes: number | null
  readonly reason: "evicted" | "unread"
}

export interface HistoryPage {
  /** What is missing before the first record. */
  readonly gap: Gap | null
  /** Cursor of the first record, after the gap. */
  readonly first: string
  readonly records: readonly StreamRecord[]
  /** Cursor after the last record. */
  readonly next: string
  /** Cursor of the stream's head when the page was made. */
  readonly head: string
}

export const historyRequestSchema = z.strictObject({
  id: callId,
  by: callBy,
  stream: z.enum(["rx", "tx"]).default("rx"),
  from: z.string(),
  maxBytes: z.number().int().min(1).max(maxChunkBytes).default(maxChunkBytes),
}) satisfies z.ZodType<HistoryRequest>

const cursor = z.string().refine((text) => parseCursor(text) !== undefined, { error: "expected a cursor" })

const pageSchema = z.object({
  page: z.object({
    gap: z
      .object({
        from: cursor,
        to: cursor,
        bytes: z.number().int().nonnegative().nullable(),
        reason: z.enum(["evicted", "unread"]),
      })
      .nullable(),
    first: cursor,
    records: z.array(z.unknown()),
    next: cursor,
    head: cursor,
  }),
})

/** A page in a reply that is not encoded. */
class HandedPage {
  readonly page: HistoryPage

  constructor(page: HistoryPage) {
    this.page = page
  }
}

/** The reply to a caller of this process: nothing in `page` may change afterwards. */
export function createPageReply(id: string, page: HistoryPage): ReplyParcel {
  return new ReplyParcel({ id }, { page: new HandedPage(page) }, () => ({ page: pageToWire(page) }))
}

/** Throws `bad_message` when the reply holds no page. */
export function parseHistoryPage(reply: Record<string, unknown>): HistoryPage {
  if (reply["page"] instanceof HandedPage) return reply["page"].page
  const { page } = checkReply(pageSchema, reply)
  return { ...page, records: page.records.map(recordFromWire) }
}

/** The page as it stands in a reply. */
export function pageToWire(page: HistoryPage): object {
  return { ...page, records: page.records.map(recordToWire) }
}
