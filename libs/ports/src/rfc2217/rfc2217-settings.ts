import type { PortSettings } from "@serialcast/contract"
import type { ComPortAnswer, ComPortRequest } from "@serialcast/rfc2217"
import { isTaken, type Refusal } from "../refusal.ts"
import { answeredValue } from "./answered-value.ts"

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
    return isTaken(kind, wanted, found) ? [] : [{ setting: kind, wanted, found }]
  })
}

function isSetting(kind: string, settings: PortSettings): kind is keyof PortSettings {
  return Object.hasOwn(settings, kind)
}
