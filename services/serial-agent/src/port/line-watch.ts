import type { ModemLines } from "@serialcast/contract"
import { type Clock, delay } from "@serialcast/primitives"
import type { OpenPort } from "./port-driver.ts"

const everyMs = 250

export interface LineWatchOptions {
  readonly port: OpenPort
  readonly clock: Clock
  /** All lines of the port: as found at first, then whenever the device changed one. */
  readonly onChange: (lines: ModemLines) => void
  /** Ends it; so does the end of the port. */
  readonly signal: AbortSignal
}

/** Looks at the modem lines of an open port four times a second; not at all when it has none. */
export function startLineWatch(options: LineWatchOptions): void {
  void watch(options)
}

async function watch({ port, clock, onChange, signal }: LineWatchOptions): Promise<void> {
  for (let known = ""; !signal.aborted; await delay(clock, everyMs, signal)) {
    const lines = await readLines(port)
    if (lines === null || signal.aborted) return
    const found = drivenByDevice(lines)
    if (found !== known) onChange(lines)
    known = found
  }
}

async function readLines(port: OpenPort): Promise<ModemLines | null> {
  try {
    return await port.readLines()
  } catch {
    // A port that cannot be asked any more is at its end, and tells so itself.
    return null
  }
}

/** Whoever changes the outgoing lines knows it. */
function drivenByDevice({ dtr: _dtr, rts: _rts, ...driven }: ModemLines): string {
  return JSON.stringify(driven)
}
