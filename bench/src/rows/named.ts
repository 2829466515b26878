import type { Measurement } from "../row.ts"

/** What was measured of one program, each figure's name after the program's. */
export function named(program: string, measurement: Measurement): Measurement {
  return Object.fromEntries(
    Object.entries(measurement).map(([figure, value]) => [`${program}: ${figure}`, value]),
  )
}
