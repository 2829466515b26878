import { expect, test } from "vitest"
import { defaultSettings } from "./default-settings.ts"
import { settingsInForce } from "./settings-in-force.ts"

test("of a port that took all, they are what it was asked for", () => {
  expect(settingsInForce(defaultSettings, [])).toEqual(defaultSettings)
})

test("what a port has instead is told, and the names of what it refused", () => {
  const refusals = [
    { setting: "baudRate", wanted: 115_200, found: 9_600 },
    { setting: "parity", wanted: "even", found: "none" },
  ] as const
  expect(settingsInForce({ ...defaultSettings, parity: "even" }, refusals)).toEqual({
    ...defaultSettings,
    baudRate: 9_600,
    unsupported: ["baudRate", "parity"],
  })
})

test.each([
  ["baudRate", 0],
  ["stopBits", 1.5],
  ["flowControl", "dcd"],
  ["parity", null],
] as const)("%s %j, which no setting can be, is told by its name alone", (setting, found) => {
  const refusals = [{ setting, wanted: defaultSettings[setting], found }]
  expect(settingsInForce(defaultSettings, refusals)).toEqual({ ...defaultSettings, unsupported: [setting] })
})
