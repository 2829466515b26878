import { AppError, type MacroStep } from "@serialcast/contract"
import { after, type Clock, delay, msUntil } from "@serialcast/primitives"
import type { OpenPort } from "../port-driver.ts"

export interface MacroDeps {
  readonly port: OpenPort
  readonly clock: Clock
  /** Ends it between two steps, and while it waits. */
  readonly signal: AbortSignal
}

/**
 * Plays the steps of `parseLineMacro` next to the wire. A wait begins when the lines before it are set, and is never shorter
 * than written. Throws `no_modem_lines`, `cancelled`, or what the port throws.
 */
export async function playMacro(steps: readonly MacroStep[], deps: MacroDeps): Promise<void> {
  for (const step of steps) {
    if (step.kind === "wait") await waitAtLeast(step.ms, deps)
    else await deps.port.signal(step)
    if (deps.signal.aborted) throw new AppError("cancelled", "The macro was ended before its last step.")
  }
}

/** A timer of the system may fire up to a millisecond early. */
async function waitAtLeast(ms: number, { clock, signal }: MacroDeps): Promise<void> {
  const dueMs = after(clock.monotonicMs(), ms)
  for (let leftMs = ms; leftMs > 0 && !signal.aborted; leftMs = msUntil(clock, dueMs))
    await delay(clock, leftMs, signal)
}
