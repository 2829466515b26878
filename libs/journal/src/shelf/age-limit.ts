import type { StreamName } from "@serialcast/contract"
import type { HeaderEntry } from "../format/segment-header.ts"

// No system clock that was set says less: this is older than any version of the program.
const setSinceUs = Date.UTC(2025, 0, 1) * 1_000
/** Smaller steps change nothing that an age is measured by. */
export const minStepUs = 3_600_000_000

/** What is asked of a segment. */
export interface Aged {
  /** null when it cannot be read. */
  readHeader(): Promise<HeaderEntry | null>
}

export interface AgeLimitOptions {
  readonly maxAgeMs: number
  readonly bootId: string | null
  readonly nowUs: () => number
  /** By how much the wall clock was set since a stream's newest segment began, in microseconds. */
  readonly pendingStepUs: (stream: StreamName) => number
}

/**
 * What is too old. A segment is as old as the first record behind it that has a stamp of a clock that was set: one that
 * said 1970, or was set by an hour or more later in the same boot, is not believed. So a box that learns the time only
 * from the network drops nothing when it does.
 */
export class AgeLimit {
  readonly #options: AgeLimitOptions

  constructor(options: AgeLimitOptions) {
    this.#options = options
  }

  /** Whether the first of `segments`, oldest first, may be dropped for its age. */
  async isTooOld(segments: readonly Aged[]): Promise<boolean> {
    const { nowUs, maxAgeMs } = this.#options
    const oldestUs = nowUs() - maxAgeMs * 1_000
    if (oldestUs < setSinceUs) return false
    const [, next] = segments
    const nextHeader = next === undefined ? null : await headerOf(next)
    // The common case costs one look.
    if (nextHeader === null || nextHeader.timeUs >= oldestUs) return false
    const headers: HeaderEntry[] = []
    for (const segment of segments.slice(1)) {
      const header = await headerOf(segment)
      if (header !== null) headers.push(header)
    }
    const believed = headers.find((header, at) => this.#isBelieved(header, headers.slice(at + 1)))
    return believed !== undefined && believed.timeUs < oldestUs
  }

  #isBelieved({ timeUs, header: { bootId, stream } }: HeaderEntry, later: readonly HeaderEntry[]): boolean {
    if (timeUs < setSinceUs) return false
    const isSameBoot = (other: string | null | undefined) =>
      other !== null && other !== undefined && other === bootId
    const steps = later
      .filter(({ header }) => isSameBoot(header.bootId))
      .map(({ header }) => header.stepUs ?? 0)
    if (isSameBoot(this.#options.bootId)) steps.push(this.#options.pendingStepUs(stream))
    return steps.every((stepUs) => Math.abs(stepUs) < minStepUs)
  }
}

/** A segment that cannot be read now tells no age. */
async function headerOf(segment: Aged): Promise<HeaderEntry | null> {
  return await segment.readHeader().catch(() => null)
}
