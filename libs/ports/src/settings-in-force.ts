import { type PortSettings, type SettingsInForce, settingsSchema } from "@serialcast/contract"
import type { Refusal } from "./refusal.ts"

/**
 * What a port has that was asked for `wanted`. What it did not tell, or what no setting can be (no baud rate, 1.5 stop bits),
 * stays as it was asked for: the names tell that it was not taken.
 */
export function settingsInForce(wanted: PortSettings, refusals: readonly Refusal[]): SettingsInForce {
  if (refusals.length === 0) return wanted
  const found = refusals.reduce<PortSettings>((settings, refusal) => {
    const { success, data } = settingsSchema.safeParse({ ...settings, [refusal.setting]: refusal.found })
    return success ? data : settings
  }, wanted)
  return { ...found, unsupported: refusals.map(({ setting }) => setting) }
}
