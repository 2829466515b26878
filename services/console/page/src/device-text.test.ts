import { createDeviceState } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { describeProblem, describeSettings } from "./device-text.ts"

test.each([
  [{ baudRate: 115_200, dataBits: 8, parity: "none", stopBits: 1, flowControl: "none" }, "115200 8N1"],
  [{ baudRate: 9600, dataBits: 7, parity: "even", stopBits: 2, flowControl: "hardware" }, "9600 7E2 RTS/CTS"],
] as const)("%j reads %s", (settings, text) => expect(describeSettings(settings)).toBe(text))

test("a port that is open, and did not take all of its settings, is told", () => {
  const state = createDeviceState()
  const settings = { ...state.settings, unsupported: ["parity", "dataBits"] }
  expect(describeProblem(state)).toBe("")
  expect(describeProblem({ ...state, settings })).toBe("The port did not take parity, dataBits.")
})
