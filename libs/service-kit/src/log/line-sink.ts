import type { Clock } from "@serialcast/primitives"

export interface LineSinkDeps {
  /** Writes what it can without waiting and answers how many bytes that were. Throws when the target is broken. */
  readonly write: (bytes: Uint8Array) => number
  readonly clock: Clock
  /** How many lines were lost; told when the target takes lines again. */
  readonly onDropped: (lines: number) => void
}

export interface LineSink {
  /** Takes a line with its line end. */
  write(line: string): void
  /** Writes what the target takes now; for the end of the process. */
  flush(): void
}

// Some thousand lines.
const maxPendingBytes = 1024 * 1024
// Nothing announces that a terminal has room again. Readers that keep up never make us wait.
const retryMs = 50

/**
 * Carries lines to a target that may stand still. Nothing waits for it: up to 1 MiB is kept, and later lines are
 * dropped and counted.
 */
export function createLineSink({ write, clock, onDropped }: LineSinkDeps): LineSink {
  const encoder = new TextEncoder()
  const pending: Uint8Array[] = []
  let pendingBytes = 0
  let dropped = 0
  let isWaiting = false

  const tryWrite = (bytes: Uint8Array): number | undefined => {
    try {
      return write(bytes)
    } catch {
      // A closed pipe or a full disk: there is no other place to say it, so the line is counted.
      return undefined
    }
  }
  const reportDropped = () => {
    const lines = dropped
    dropped = 0
    onDropped(lines)
  }
  const flush = () => {
    for (let line = pending[0]; line !== undefined; line = pending[0]) {
      const taken = tryWrite(line)
      pendingBytes -= taken ?? line.byteLength
      if (taken !== undefined && taken < line.byteLength) {
        pending[0] = line.subarray(taken)
        return
      }
      pending.shift()
      if (taken === undefined) dropped++
      else if (pending.length === 0 && dropped > 0) reportDropped()
    }
  }
  const flushUntilEmpty = () => {
    // Set first, because the report of dropped lines is itself a line, which this flush then takes along.
    isWaiting = true
    flush()
    isWaiting = pending.length > 0
    if (isWaiting) clock.startTimer(retryMs, flushUntilEmpty)
  }
  return {
    write(text) {
      const line = encoder.encode(text)
      if (pendingBytes + line.byteLength > maxPendingBytes) {
        dropped++
        return
      }
      pending.push(line)
      pendingBytes += line.byteLength
      if (!isWaiting) flushUntilEmpty()
    },
    flush,
  }
}
