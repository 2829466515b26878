import { z } from "zod"
import { callBy, callId, inSession, isInSession, sessionAndSeq, underLease } from "./call-fields.ts"
import { maxChunkBytes, maxTtlMs, maxWriteBytes } from "./limits.ts"
import { checkReply } from "./reply.ts"

/** Asks the agent to write `bytes` as one atomic write, or as part `part` of `parts` of one. */
export interface WriteRequest {
  /** Names the write among its client's: a repeat with the same id by the same client is written once. */
  readonly id: string
  /** Who asks. */
  readonly by: string
  /** At most `maxChunkBytes`. */
  readonly bytes: Uint8Array
  /** How long it may wait in the queue, in milliseconds. */
  readonly ttlMs?: number | undefined
  /** The open count it is meant for; at another count it is refused as `expired`. */
  readonly open?: number | undefined
  readonly part?: number | undefined
  readonly parts?: number | undefined
  /** Names a sequence of writes, of one client, that go out in the order of `seq`, which counts from 0. */
  readonly session?: string | undefined
  readonly seq?: number | undefined
  /** The token of the lease it is made under. */
  readonly lease?: string | undefined
  /** Pause after each byte, in milliseconds. Default: the device's. */
  readonly charDelayMs?: number | undefined
  /** Pause after each \n, in milliseconds. Default: the device's. */
  readonly lineDelayMs?: number | undefined
}

/** Says that a write reached the port. */
export interface Receipt {
  readonly bytes: number
  /** Cursors in the `tx` stream around the bytes. */
  readonly from: string
  readonly to: string
  /** Microseconds since 1970 at which the kernel had handed the last byte to the port. */
  readonly drainedUs: number
}

const bytes = z.instanceof(Uint8Array).refine((value) => value.byteLength <= maxChunkBytes, {
  error: `a call carries at most ${maxChunkBytes} bytes; send a larger write as parts`,
})

/** A pause between bytes or lines, in milliseconds. */
export const pacingSchema = z.number().int().min(0).max(60_000)

const maxParts = Math.ceil(maxWriteBytes / 1024)

export const writeRequestSchema = z
  .strictObject({
    id: callId,
    by: callBy,
    ...inSession,
    ...underLease,
    bytes,
    ttlMs: z.number().int().positive().max(maxTtlMs).optional(),
    open: z.number().int().nonnegative().optional(),
    part: z.number().int().nonnegative().optional(),
    parts: z.number().int().min(1).max(maxParts).optional(),
    charDelayMs: pacingSchema.optional(),
    lineDelayMs: pacingSchema.optional(),
  })
  .refine(isInSession, sessionAndSeq)
  .refine(({ session, parts }) => session === undefined || parts === undefined, {
    error: "the writes of a session have no parts",
  })
  .refine(({ part, parts }) => (part === undefined) === (parts === undefined) && (part ?? 0) < (parts ?? 1), {
    error: "part and parts go together, and part counts from 0 up to parts - 1",
  }) satisfies z.ZodType<WriteRequest>

const receiptSchema = z.object({
  receipt: z.object({ bytes: z.number(), from: z.string(), to: z.string(), drainedUs: z.number() }),
})

/** How far a long write is: told once a second until its receipt or refusal. */
export interface WriteProgress {
  /** So many of its bytes were written. */
  readonly bytes: number
  readonly of: number
}

const progressSchema = z.object({ progress: z.object({ bytes: z.number(), of: z.number() }) })

/** undefined when the reply is not about progress. */
export function parseProgress(reply: Record<string, unknown>): WriteProgress | undefined {
  // Of most replies this is all: what a schema refuses costs ten times as much as what it takes.
  if (!("progress" in reply)) return undefined
  return progressSchema.safeParse(reply).data?.progress
}

/** Throws `bad_message` when the reply holds no receipt. */
export function parseReceipt(reply: Record<string, unknown>): Receipt {
  return checkReply(receiptSchema, reply).receipt
}
