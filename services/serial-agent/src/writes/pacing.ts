/** Pauses for a device that cannot take bytes as fast as they come. */
export interface Pacing {
  /** After each byte, in milliseconds. */
  readonly charDelayMs: number
  /** After each \n, in milliseconds; comes on top of the other. */
  readonly lineDelayMs: number
}

export const noPacing: Pacing = { charDelayMs: 0, lineDelayMs: 0 }

/** Bytes to write at once, and how long to pause after them. */
export interface PacedSlice {
  readonly bytes: Uint8Array
  readonly pauseMs: number
}

const newline = 0x0a

/** The first slice of `bytes`, a view of them: at most `sliceBytes`, and no further than to the next pause. */
export function firstSlice(
  bytes: Uint8Array,
  { charDelayMs, lineDelayMs }: Pacing,
  sliceBytes: number,
): PacedSlice {
  const whole = bytes.subarray(0, charDelayMs > 0 ? 1 : sliceBytes)
  const lineEnd = lineDelayMs > 0 ? whole.indexOf(newline) + 1 : 0
  return {
    bytes: lineEnd > 0 ? whole.subarray(0, lineEnd) : whole,
    pauseMs: charDelayMs + (lineEnd > 0 ? lineDelayMs : 0),
  }
}

/** All pauses of a write together, in milliseconds. */
export function totalPauseMs(bytes: Uint8Array, { charDelayMs, lineDelayMs }: Pacing): number {
  let lines = 0
  if (lineDelayMs > 0) for (const byte of bytes) if (byte === newline) lines++
  return bytes.byteLength * charDelayMs + lines * lineDelayMs
}
