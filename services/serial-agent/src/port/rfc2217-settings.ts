import type { PortSettings } from "@serialcast/contract"
import type { ComPortAnswer, ComPortRequest } from "@serialcast/rfc2217"
import { answeredValue } from "./answered-value.ts"

// Of a UART whose rate is further off, the last bits of a byte are lost.
const maxRateError = 0.03

/** What a device server has instead of a setting that it did not take; null when it did not say. */
export interface Refusal {
  readonly setting: keyof PortSettings
  readonly wanted: string | number
  readonly found: string | number | null
}

/** All settings as requests. The baud rate comes first: a server that does not take it changes nothing else. */
export function settingRequests(settings: PortSettings): {
  readonly rate: ComPortRequest
  readonly others: readonly ComPortRequest[]
} {
  const { baudRate, dataBits, parity, stopBits, flowControl } = settings
  return {
    rate: { kind: "baudRate", value: baudRate },
    others: [
      { kind: "dataBits", value: dataBits },
      { kind: "parity", value: parity },
      { kind: "stopBits", value: stopBits },
      { kind: "flowControl", value: flowControl },
    ],
  }
}

/** Those of the requested settings that the server did not take, by what it answered. */
export function refusalsIn(
  settings: PortSettings,
  requests: readonly ComPortRequest[],
  answers: readonly ComPortAnswer[],
): readonly Refusal[] {
  return requests.flatMap(({ kind }): Refusal[] => {
    if (!isSetting(kind, settings)) return []
    const wanted = settings[kind]
    const answer = answeredValue(kind, answers)
    const found = typeof answer === "string" || typeof answer === "number" ? answer : null
    return isTaken(wanted, found, kind) ? [] : [{ setting: kind, wanted, found }]
  })
}

/** `parity even (it has none)`, for sentences. */
export function formatRefusal({ setting, wanted, found }: Refusal): string {
  return `${setting} ${wanted} (it ${found === null ? "does not answer" : `has ${found}`})`
}

function isSetting(kind: string, settings: PortSettings): kind is keyof PortSettings {
  return Object.hasOwn(settings, kind)
}

/** Servers may tell the rate that the UART really has. */
function isTaken(
  wanted: string | number,
  found: string | number | null,
  setting: keyof PortSettings,
): boolean {
  if (setting !== "baudRate" || typeof wanted === "string" || typeof found !== "number")
    return found === wanted
  return Math.abs(found - wanted) <= wanted * maxRateError
}
