import type { PortSettings } from "@serialcast/contract"

// Of a UART whose rate is further off, the last bits of a byte are lost.
const maxRateError = 0.03

/** What a port has instead of a setting that it did not take; null when it did not say. */
export interface Refusal {
  readonly setting: keyof PortSettings
  readonly wanted: string | number
  readonly found: string | number | null
}

/** Whether a port that has `found` took what was `wanted`. Ports may tell the rate that their UART really has. */
export function isTaken(
  setting: keyof PortSettings,
  wanted: string | number,
  found: string | number | null,
): boolean {
  if (setting !== "baudRate" || typeof wanted === "string" || typeof found !== "number")
    return found === wanted
  return Math.abs(found - wanted) <= wanted * maxRateError
}

/** `parity even (it has none)`, for sentences. */
export function formatRefusal({ setting, wanted, found }: Refusal): string {
  return `${setting} ${wanted} (it ${found === null ? "does not answer" : `has ${found}`})`
}

/** A sentence for the log. */
export function noteRefusals(port: string, refusals: readonly Refusal[]): string {
  return `${port} did not take ${refusals.map(formatRefusal).join(", ")}.`
}
