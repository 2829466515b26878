import type { Rig } from "./rig/rig.ts"

/** So many times another figure of the same row. */
export interface Multiple {
  readonly times: number
  readonly of: string
}

/** A value, or multiples of other figures: of several, the strictest that was measured. */
export type Limit = number | Multiple | readonly Multiple[]

/** One number that a row measures. */
export interface Figure {
  readonly name: string
  readonly unit: string
  readonly isBetter: "higher" | "lower"
  /** What must be reached. */
  readonly floor?: Limit
  /** What is wanted. */
  readonly aim?: Limit
  /** The figure that this one is told in multiples of. */
  readonly reference?: string
}

/** Values by figure name; what could not be measured here is absent. */
export type Measurement = Readonly<Record<string, number>>

/** One thing that is measured. */
export interface Row {
  /** As it is chosen on the command line. */
  readonly name: string
  /** What happens, with the sizes and numbers of samples. */
  readonly what: string
  /** Takes minutes: left out unless it is named, or `--long` is given. */
  readonly isLong?: boolean
  readonly figures: readonly Figure[]
  /** Measures once. Throws when a byte was lost, doubled or changed. */
  readonly run: (rig: Rig) => Promise<Measurement>
}
