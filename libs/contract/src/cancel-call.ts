import { z } from "zod"
import { callBy, callId } from "./call-fields.ts"
import { checkReply } from "./reply.ts"

/** Takes a write of the same client back: what waits is refused as `cancelled`, what is being written ends early. */
export interface CancelRequest {
  readonly id: string
  readonly by: string
  /** The write's id. */
  readonly write: string
}

export const cancelRequestSchema = z.strictObject({
  id: callId,
  by: callBy,
  write: callId,
}) satisfies z.ZodType<CancelRequest>

const replySchema = z.object({ cancelled: z.boolean() })

/** Whether there was such a write that was not over. Throws `bad_message`. */
export function parseCancelled(reply: Record<string, unknown>): boolean {
  return checkReply(replySchema, reply).cancelled
}
