import type { PortValues, PurgeTarget, SettingRequest } from "./com-port-message.ts"

// RFC 2217, section 3. The place of a value in its list is its number; 0 asks for the value in force.
export const dataSizes: readonly (PortValues["dataBits"] | null | undefined)[] = [
  null,
  ...Array.from({ length: 4 }, () => undefined),
  5,
  6,
  7,
  8,
]
export const parities: readonly (PortValues["parity"] | null)[] = [
  null,
  "none",
  "odd",
  "even",
  "mark",
  "space",
]
export const stopSizes: readonly (PortValues["stopBits"] | null)[] = [null, 1, 2, 1.5]
export const purgeTargets: readonly (PurgeTarget | undefined)[] = [undefined, "rx", "tx", "both"]

/** Values of SET-CONTROL, which is one command for six settings. */
export const controls: readonly SettingRequest[] = [
  { kind: "flowControl", value: null },
  { kind: "flowControl", value: "none" },
  { kind: "flowControl", value: "software" },
  { kind: "flowControl", value: "hardware" },
  { kind: "break", value: null },
  { kind: "break", value: true },
  { kind: "break", value: false },
  { kind: "dtr", value: null },
  { kind: "dtr", value: true },
  { kind: "dtr", value: false },
  { kind: "rts", value: null },
  { kind: "rts", value: true },
  { kind: "rts", value: false },
  { kind: "inboundFlowControl", value: null },
  { kind: "inboundFlowControl", value: "none" },
  { kind: "inboundFlowControl", value: "software" },
  { kind: "inboundFlowControl", value: "hardware" },
  { kind: "flowControl", value: "dcd" },
  { kind: "inboundFlowControl", value: "dtr" },
  { kind: "flowControl", value: "dsr" },
]

export function controlNumber(setting: SettingRequest): number {
  return controls.findIndex(({ kind, value }) => kind === setting.kind && value === setting.value)
}

/** The value that has this number; one that the list does not have is null, with the number beside it. */
export function valueOf<Value>(
  values: readonly (Value | null | undefined)[],
  number: number,
): { readonly value: Value | null; readonly unknownValue?: number } {
  const value = values[number]
  return value === undefined ? { value: null, unknownValue: number } : { value }
}
