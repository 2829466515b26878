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

// What an interrupted write is counted in; larger ones make fewer system calls.
const sliceBytes = 16 * 1024
const newline = 0x0a

/** Cuts a write into what goes to the port at once. The slices are views of it. */
export function* paceBytes(bytes: Uint8Array, { charDelayMs, lineDelayMs }: Pacing): Generator<PacedSlice> {
  const atOnce = charDelayMs > 0 ? 1 : sliceBytes
  for (let start = 0; start < bytes.byteLength; ) {
    const whole = bytes.subarray(start, start + atOnce)
    const lineEnd = lineDelayMs > 0 ? whole.indexOf(newline) + 1 : 0
    const slice = lineEnd > 0 ? whole.subarray(0, lineEnd) : whole
    yield { bytes: slice, pauseMs: charDelayMs + (lineEnd > 0 ? lineDelayMs : 0) }
    start += slice.byteLength
  }
}

/** All pauses of a write together, in milliseconds. */
export function totalPauseMs(bytes: Uint8Array, { charDelayMs, lineDelayMs }: Pacing): number {
  let lines = 0
  if (lineDelayMs > 0) for (const byte of bytes) if (byte === newline) lines++
  return bytes.byteLength * charDelayMs + lines * lineDelayMs
}
