import { z } from "zod"

// In bytes of UTF-8, as they stand in marks: what a mark takes on the wire is bounded by them.
const maxIdBytes = 64
const maxByBytes = 128

/** Names a call among those of its client; a repeat with the same id is the same call. */
export const callId = z.string().min(1).refine(fitsIn(maxIdBytes), tooLong(maxIdBytes))

/** The principal who asks. */
export const callBy = z.string().refine(fitsIn(maxByBytes), tooLong(maxByBytes)).default("anonymous")

/** What a lease is taken for, as people read it. */
export const purposeText = z.string().min(1).refine(fitsIn(maxByBytes), tooLong(maxByBytes))

/** The place of a call among the writes and controls of one client's session. */
export const inSession = { session: callId.optional(), seq: z.number().int().nonnegative().optional() }

export function isInSession({ session, seq }: { session?: unknown; seq?: unknown }): boolean {
  return (session === undefined) === (seq === undefined)
}

export const sessionAndSeq = { error: "session and seq go together" }

/** The token of the lease under which a call is made. */
export const underLease = { lease: z.string().min(1).max(64).optional() }

function fitsIn(maxBytes: number): (text: string) => boolean {
  return (text) => text.length <= maxBytes && utf8Bytes(text) <= maxBytes
}

/** Counted, not encoded: each call has three such texts. */
function utf8Bytes(text: string): number {
  let bytes = 0
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit < 0x80) bytes += 1
    else if (unit < 0x800) bytes += 2
    else if (isPairAt(text, at)) {
      bytes += 4
      at++
    } else {
      // Half a pair too: it becomes U+FFFD.
      bytes += 3
    }
  }
  return bytes
}

function isPairAt(text: string, at: number): boolean {
  return (text.codePointAt(at) ?? 0) > 0xffff
}

function tooLong(maxBytes: number): { error: string } {
  return { error: `expected at most ${maxBytes} bytes in UTF-8` }
}
