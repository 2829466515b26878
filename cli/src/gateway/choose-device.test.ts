import { createDeviceState } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { UsageError } from "../command/usage-error.ts"
import { chooseDevice } from "./choose-device.ts"

const uno = createDeviceState({ gateway: "lab", device: "uno" })
const gps = createDeviceState({ gateway: "lab", device: "gps" })
const otherGps = createDeviceState({ gateway: "roof", device: "gps" })
const found = createDeviceState({ gateway: "lab", device: "ttys0", configured: false })

test("a name is enough where one gateway only has such a device", () => {
  expect(chooseDevice([uno, gps, otherGps], "uno")).toBe("lab/uno")
  expect(chooseDevice([uno, gps, otherGps], "roof/gps")).toBe("roof/gps")
  expect(() => chooseDevice([uno, gps, otherGps], "gps")).toThrow("name one of lab/gps, roof/gps")
})

test("without a name it is the only device; a port that was only found is none", () => {
  expect(chooseDevice([uno, found], undefined)).toBe("lab/uno")
  expect(() => chooseDevice([uno, gps], undefined)).toThrow(UsageError)
  expect(() => chooseDevice([found], undefined)).toThrow("There is no device yet.")
})

test("one that is not there is told with what is", () => {
  expect(() => chooseDevice([uno, gps], "lab/nuo")).toThrow('"lab/nuo"; did you mean lab/uno?')
  expect(() => chooseDevice([uno, gps], "esp")).toThrow('"esp"; there are lab/uno, lab/gps')
  expect(() => chooseDevice([], "esp")).toThrow("there is none yet")
})
