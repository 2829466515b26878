import { after, type Clock, type MonotonicMs, msUntil } from "@serialcast/primitives"
import type { Output } from "./output.ts"

/** Shorter work is over before anyone has read about it. */
const patienceMs = 1_000
const redrawMs = 100
const cells = 30
// ECMA-48 §8.3.41, EL: erase to the end of the line.
const eraseLine = "\r\u001b[K"

/** How far long work is, on one line of a terminal, from its second second on; nothing anywhere else. */
export class ProgressBar {
  readonly #output: Output
  readonly #clock: Clock
  #nextMs: MonotonicMs
  #isShown = false
  /** A terminal that was stopped takes nothing: only one drawing waits for it. */
  #isDrawing = false

  constructor(output: Output, clock: Clock) {
    this.#output = output
    this.#clock = clock
    this.#nextMs = after(clock.monotonicMs(), patienceMs)
  }

  /** `of`: null when nobody knows how much there will be. */
  async update(bytes: number, of: number | null): Promise<void> {
    const isTooSoon = msUntil(this.#clock, this.#nextMs) > 0
    if (!this.#output.isTerminal || isTooSoon || this.#isDrawing) return
    this.#nextMs = after(this.#clock.monotonicMs(), redrawMs)
    this.#isShown = true
    this.#isDrawing = true
    try {
      await this.#output.write(`${eraseLine}${formatProgress(bytes, of, this.#output.columns - 1)}`)
    } finally {
      this.#isDrawing = false
    }
  }

  /** Takes the line away, for what is written next. */
  async clear(): Promise<void> {
    if (this.#isShown) await this.#output.write(eraseLine)
    this.#isShown = false
  }
}

/** `[#####     ]  50 %  1.2 MB of 2.4 MB`; in less room without the bar: what wraps is never erased. */
export function formatProgress(
  bytes: number,
  of: number | null,
  maxCharacters = Number.POSITIVE_INFINITY,
): string {
  if (of === null) return formatSize(bytes).slice(0, maxCharacters)
  const part = of === 0 ? 1 : Math.min(1, bytes / of)
  const bar = "#".repeat(Math.floor(part * cells)).padEnd(cells)
  const text = `${String(Math.floor(part * 100)).padStart(3)} %  ${formatSize(bytes)} of ${formatSize(of)}`
  const whole = `[${bar}] ${text}`
  return (whole.length <= maxCharacters ? whole : text).slice(0, maxCharacters)
}

function formatSize(bytes: number): string {
  if (bytes < 1_000) return `${bytes} bytes`
  return bytes < 1_000_000 ? `${(bytes / 1_000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`
}
