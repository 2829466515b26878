import { z } from "zod"

// In bytes of UTF-8, as they stand in marks: what a mark takes on the wire is bounded by them.
const maxIdBytes = 64
const maxByBytes = 128

/** Names a call among those of its client; a repeat with the same id is the same call. */
export const callId = z.string().min(1).refine(fitsIn(maxIdBytes), tooLong(maxIdBytes))

/** The principal who asks. */
export const callBy = z.string().refine(fitsIn(maxByBytes), tooLong(maxByBytes)).default("anonymous")

/** The place of a call among the writes and controls of one client's session. */
export const inSession = { session: callId.optional(), seq: z.number().int().nonnegative().optional() }

export function isInSession({ session, seq }: { session?: unknown; seq?: unknown }): boolean {
  return (session === undefined) === (seq === undefined)
}

export const sessionAndSeq = { error: "session and seq go together" }

/** The token of the lease under which a call is made. */
export const underLease = { lease: z.string().min(1).max(64).optional() }

function fitsIn(maxBytes: number): (text: string) => boolean {
  return (text) => new TextEncoder().encode(text).byteLength <= maxBytes
}

function tooLong(maxBytes: number): { error: string } {
  return { error: `expected at most ${maxBytes} bytes in UTF-8` }
}
