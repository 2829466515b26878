import type { PortSettings } from "@serialcast/contract"
import { expect, test } from "vitest"
import { SettingsKeeper } from "./settings-keeper.ts"

const before: PortSettings = {
  baudRate: 9_600,
  dataBits: 8,
  parity: "none",
  stopBits: 1,
  flowControl: "none",
}

test("a client that changed nothing leaves nothing to restore", () => {
  expect(new SettingsKeeper().restoring(before)).toEqual({})
})

test("what is restored is what was there before the first change of each setting", () => {
  const keeper = new SettingsKeeper()
  keeper.changed({ baudRate: 19_200 }, before)
  keeper.changed({ parity: "even" }, { ...before, baudRate: 19_200 })
  keeper.changed({ baudRate: 38_400 }, { ...before, baudRate: 19_200, parity: "even" })
  expect(keeper.restoring({ ...before, baudRate: 38_400, parity: "even" })).toEqual({
    baudRate: 9_600,
    parity: "none",
  })
})

test("what somebody else changed since, the port refused, or is as before, is left alone", () => {
  const keeper = new SettingsKeeper()
  keeper.changed({ baudRate: 19_200 }, before)
  keeper.changed({ dataBits: 7 }, before)
  keeper.changed({ parity: "odd" }, before)
  keeper.changed({ parity: "none" }, { ...before, parity: "odd" })
  expect(keeper.restoring({ ...before, baudRate: 57_600 })).toEqual({})
})
