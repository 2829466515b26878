// A write that is cut short ends after the slice in hand, and is counted in slices: each is what the wire takes in this time.
const sliceMs = 250
// Fewer would cost more system calls than they are worth; more are no faster.
const [minSliceBytes, maxSliceBytes] = [64, 16 * 1024]
// What a driver may take at once, however slow the wire is; most take 4 KiB.
const maxBufferBytes = 64 * 1024
const timesFaster = 4

export interface SliceProgress {
  /** Bytes of the write that the port took already. */
  readonly written: number
  /** How long that took. */
  readonly elapsedMs: number
  /** How long a byte is on the wire, by the port's settings. */
  readonly byteMs: number
}

/**
 * How many bytes of a write go to the port next. Without regard to the baud rate once the port took more than a wire of that
 * rate could have: a pseudo-terminal or a network has none, and gets half as much more through with large slices.
 */
export function nextSliceBytes({ written, elapsedMs, byteMs }: SliceProgress): number {
  const leastOnWire = Math.max(0, written - maxBufferBytes)
  if (leastOnWire * byteMs > timesFaster * elapsedMs) return maxSliceBytes
  return Math.min(maxSliceBytes, Math.max(minSliceBytes, Math.round(sliceMs / byteMs)))
}
