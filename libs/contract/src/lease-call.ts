import { z } from "zod"
import { callBy, callId, purposeText } from "./call-fields.ts"
import { checkReply } from "./reply.ts"

/** Asks for the right to be the only writer of a device for a while, or renews it. */
export interface LeaseRequest {
  readonly id: string
  /** Becomes the holder's name, which everyone sees. */
  readonly by: string
  readonly ttlMs: number
  /** The fence of the lease to renew. Absent: a new one. */
  readonly lease?: string | undefined
  /** Takes the lease from whoever holds it. */
  readonly steal: boolean
  /**
   * What programs do under it with the device, like `put main.py`: what the device says meanwhile is for them, and terminals
   * show this instead (`Veil`). Absent: a person writes.
   */
  readonly purpose?: string | undefined
}

/** A lease as its holder knows it. */
export interface Lease {
  /** Its fence, a secret: whoever shows it writes. Users know it by this name. */
  readonly token: string
  readonly holder: string
  readonly ttlMs: number
}

/** Gives a lease back. */
export interface ReleaseRequest {
  readonly id: string
  readonly by: string
  readonly lease: string
  /** How it ended what the lease was taken for; absent: it is done. */
  readonly outcome?: LeaseOutcome | undefined
}

/** What was not done: something went wrong, or whoever asked for it gave it up. */
export type LeaseOutcome = z.infer<typeof leaseOutcomeSchema>

export const leaseOutcomeSchema = z.enum(["failed", "cancelled"])

const fence = z.string().min(1).max(64)

export const leaseRequestSchema = z.strictObject({
  id: callId,
  by: callBy,
  ttlMs: z.number().int().min(100).max(3_600_000).default(30_000),
  lease: fence.optional(),
  steal: z.boolean().default(false),
  purpose: purposeText.optional(),
}) satisfies z.ZodType<LeaseRequest>

export const releaseRequestSchema = z.strictObject({
  id: callId,
  by: callBy,
  lease: fence,
  outcome: leaseOutcomeSchema.optional(),
}) satisfies z.ZodType<ReleaseRequest>

const replySchema = z.object({
  lease: z.object({ token: fence, holder: z.string(), ttlMs: z.number() }),
})

/** Throws `bad_message` when the reply holds no lease. */
export function parseLease(reply: Record<string, unknown>): Lease {
  return checkReply(replySchema, reply).lease
}
