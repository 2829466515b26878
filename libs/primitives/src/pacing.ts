/*
 * Where a byte may wait so that others get through, in its order from a port to a reader. What a port and its journal wait
 * for stands with them (`ReadRhythm`, `openDiskJournal`).
 *
 *   port ─→ journal ─→ joined in a page ─→ gathered into a message ─→ readers woken together
 *   port ←─ write: its account rests while the device may answer
 *
 * Measured on two cores of an EPYC, with a device on a pseudo-terminal, in runs that took turns. What was written is told
 * `messageGatherMs` later, out of its answer's way, which takes a twentieth less then.
 */

/**
 * Chunks are joined in a page while the first of them is not older, in microseconds; the times of all of them stay. A steady
 * stream at 115,200 baud comes in 576 bytes, whose 28 bytes around them on the wire, and 4 for each read, are 7 % more,
 * instead of the 44 % of single packets of a USB adapter.
 */
export const chunkJoinUs = 50_000

/** So many are joined at most: their times, 6 bytes each at most, stay within what a message leaves for them. */
export const maxJoinedChunks = 512

/**
 * What comes within this after a message waits until it is over, in milliseconds, and goes together; what comes later goes at
 * once.
 */
export const messageGatherMs = 2

/** So few bytes after a write may be its answer: whoever waits for it asks the next question then, so it goes alone. */
export const answerBytes = 256

/**
 * How long a write of a session rests before it is drained and accounted, in milliseconds: that takes the processor from its
 * answer. Without it, an answer to writes 5 ms apart took 1.15 to 1.5 times as long (p50), and a flood to a pseudo-terminal
 * went at 0.9 of its speed; with 2 ms and more the session waits for receipts.
 */
export const receiptRestMs = 1

/**
 * The pause between two wakes of all readers of a stream, in milliseconds for each of them: serving one takes 10 to 20 µs,
 * its socket included (measured), so that a thousand are woken every 50 ms and leave the processor half of its time. Up to
 * 19 are never held up.
 */
export const wakeMsForEachReader = 0.05
