import type { ModemLines } from "@serialcast/contract"
import { type Clock, delay } from "@serialcast/primitives"
import type { OpenPort } from "../port-driver.ts"

const everyMs = 250

export interface LineWatchOptions {
  readonly port: OpenPort
  readonly clock: Clock
  /** All lines of the port: as found at first, then whenever the device changed one. */
  readonly onChange: (lines: ModemLines) => void
  /** Ends it; to be aborted when the port ends. */
  readonly signal: AbortSignal
}

/** Looks at the modem lines of an open port four times a second; not at all when it has none. */
export function startLineWatch(options: LineWatchOptions): void {
  void watch(options)
}

async function watch({ port, clock, onChange, signal }: LineWatchOptions): Promise<void> {
  for (let known = ""; !signal.aborted; await delay(clock, everyMs, signal)) {
    const lines = await port.readLines().catch(unanswered)
    if (lines === null || signal.aborted) return
    if (lines === undefined) continue
    const found = drivenByDevice(lines)
    if (found !== known) onChange(lines)
    known = found
  }
}

/** An adapter may fail to answer once, and the end of a port is told elsewhere. */
function unanswered(): undefined {}

/** Whoever changes the outgoing lines knows it. */
function drivenByDevice({ dtr: _dtr, rts: _rts, ...driven }: ModemLines): string {
  return JSON.stringify(driven)
}
