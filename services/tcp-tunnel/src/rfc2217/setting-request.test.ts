import type { PortSettings } from "@serialcast/contract"
import { expect, test } from "vitest"
import { isPortSetting, type PortSettingRequest, settingChange, settingInForce } from "./setting-request.ts"

const settings: PortSettings = {
  baudRate: 9_600,
  dataBits: 7,
  parity: "even",
  stopBits: 2,
  flowControl: "hardware",
}

const changes: readonly (readonly [PortSettingRequest, Partial<PortSettings>])[] = [
  [{ kind: "baudRate", value: 250_000 }, { baudRate: 250_000 }],
  [{ kind: "dataBits", value: 5 }, { dataBits: 5 }],
  [{ kind: "parity", value: "mark" }, { parity: "mark" }],
  [{ kind: "parity", value: "space" }, { parity: "space" }],
  [{ kind: "stopBits", value: 2 }, { stopBits: 2 }],
  [{ kind: "flowControl", value: "software" }, { flowControl: "software" }],
]

test.each(changes)("%j changes %j", (request, change) => {
  expect(settingChange(request)).toEqual(change)
})

const questions: readonly PortSettingRequest[] = [
  { kind: "baudRate", value: null },
  { kind: "baudRate", value: 4_294_967_295 },
  { kind: "parity", value: null, unknownValue: 9 },
  { kind: "stopBits", value: 1.5 },
  { kind: "flowControl", value: "dcd" },
  { kind: "flowControl", value: "dsr" },
  { kind: "inboundFlowControl", value: "dtr" },
  { kind: "inboundFlowControl", value: "software" },
]

test.each(questions)("%j changes nothing", (request) => {
  expect(settingChange(request)).toBeNull()
})

test("the value in force is told of every setting, of inbound flow control that of both directions", () => {
  const kinds = ["baudRate", "dataBits", "parity", "stopBits", "flowControl", "inboundFlowControl"] as const
  expect(kinds.map((kind) => settingInForce(kind, settings))).toEqual([
    { kind: "baudRate", value: 9_600 },
    { kind: "dataBits", value: 7 },
    { kind: "parity", value: "even" },
    { kind: "stopBits", value: 2 },
    { kind: "flowControl", value: "hardware" },
    { kind: "inboundFlowControl", value: "hardware" },
  ])
})

test("lines, purges and polls are no settings", () => {
  expect(isPortSetting({ kind: "dtr", value: true })).toBe(false)
  expect(isPortSetting({ kind: "purge", value: "both" })).toBe(false)
  expect(isPortSetting({ kind: "modemState" })).toBe(false)
})
