/** Largest payload that every broker's defaults let through without blocking the link for long, in bytes. */
export const maxPayloadBytes = 64 * 1024

/** Nothing of ours is published beyond this, in bytes: it would end the connection at brokers that take no more. */
export const maxPublishedBytes = 192 * 1024

/**
 * Largest call that is decoded, in bytes: JSON may spell each of `maxChunkBytes` in four characters and more, and brokers let
 * through what they like.
 */
export const maxCallBytes = 256 * 1024

/** Device bytes in one chunk, call or page: leaves room in `maxPayloadBytes` for the CBOR around them. */
export const maxChunkBytes = 60_000

/** Largest atomic write, in bytes; larger ones are refused as `too_large`. */
export const maxWriteBytes = 4 * 1024 * 1024

/** How long a write may wait for its turn, in milliseconds: a machine that holds the sender back may do so overnight. */
export const maxTtlMs = 86_400_000

/** A stream announces its head after this silence, in milliseconds, so that a lost tail is noticed. */
export const firstAnnounceMs = 1_000

/** … and then again each time this long after, in milliseconds. */
export const announceEveryMs = 10_000

/** A reader that heard nothing for this long asks the journal, in milliseconds. */
export const unheardMs = 25_000

/** What one session may have on its way without a receipt, in bytes. */
export const maxSessionBytes = 256 * 1024
