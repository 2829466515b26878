import { createDeviceState } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { createPaint } from "../terminal/paint.ts"
import { formatDevices } from "./device-table.ts"

test("what an open port did not take of its settings is told among its problems", () => {
  const { settings } = createDeviceState()
  const state = createDeviceState({ settings: { ...settings, unsupported: ["parity", "dataBits"] } })
  const [, row] = formatDevices([state], createPaint(false))
  expect(row).toContain("online")
  expect(row).toContain("The port did not take parity, dataBits.")
})
