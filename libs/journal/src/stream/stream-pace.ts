import type { StreamName } from "@serialcast/contract"

/** How long records wait, and how many. Times are in milliseconds, sizes in bytes. */
export interface StreamPace {
  /**
   * What is staged waits so long for more that goes to the disk with it: a device that says little at a time costs a
   * hundredth of the writes, and nobody waits for it.
   */
  readonly batchMs: number
  /** And so long when all that waits is less than `pageBytes`, which is what the disk writes at least. */
  readonly trickleMs: number
  readonly pageBytes: number
  /** What is not staged, and so not shown, waits so long. */
  readonly gatherMs: number
  /** A batch is full with so much. */
  readonly maxBatchBytes: number
  /** What waits beyond this is lost to the disk, the oldest first. */
  readonly maxWaitingBytes: number
  /** A disk that makes no progress for so long is away: what waits is shown without it. */
  readonly hangMs: number
  /** So much is held for a reader that is on its way. */
  readonly maxWantedBytes: number
}

export interface PaceOptions {
  readonly stream: StreamName
  /** The size at which a segment is full. */
  readonly segmentBytes: number
  /** How often the disk is made to keep what is new. */
  readonly syncMs: number
}

export function createPace({ stream, segmentBytes, syncMs }: PaceOptions): StreamPace {
  const batchMs = 250
  return {
    batchMs,
    // What a power failure may cost of a trickle: with the sync that follows, twelve times `syncMs`. Longer than a minute
    // saves nothing that a card would notice: a byte a second is then some 250 bytes of the medium for each (measured).
    trickleMs: Math.max(batchMs, Math.min(11 * syncMs, 55_000)),
    pageBytes: 4096,
    // What is written with a receipt waits for the disk by itself; the rest need not be in the way of the device's answer.
    gatherMs: stream === "tx" ? 1 : 0,
    // A small part of a segment, so that segments are filled; beyond 256 KiB, system calls cost no less each.
    maxBatchBytes: Math.min(256 * 1024, segmentBytes / 4),
    // 20 minutes of 115,200 baud, and a third of a second of the fastest device.
    maxWaitingBytes: 16 * 1024 * 1024,
    // An SD card, and a disk that others write to, pause for half a second now and then.
    hangMs: 900,
    // What the fastest device sends while a message goes out, and a burst of some mebibytes.
    maxWantedBytes: 8 * 1024 * 1024,
  }
}
