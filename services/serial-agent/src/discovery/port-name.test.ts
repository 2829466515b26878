import { isName } from "@serialcast/contract"
import { expect, test } from "vitest"
import { namePort } from "./port-name.ts"

test.each([
  ["/dev/ttyUSB0", "ttyusb0"],
  [
    "/dev/serial/by-id/usb-Arduino__www.arduino.cc__0043_8593731-if00",
    "arduino__www-arduino-cc__0043_8593731-if00",
  ],
  ["/dev/serial/by-id/usb-.hidden", "hidden"],
  ["/dev/Ω", "port"],
])("%s is named %s", (path, name) => {
  expect(namePort(path, new Set())).toBe(name)
})

test("a name that is taken gets a number, and is never too long", () => {
  const taken = new Set<string>()
  for (let n = 0; n < 1_100; n++) {
    const name = namePort(`/dev/${"x".repeat(100)}`, taken)
    expect(isName(name), name).toBe(true)
    expect(taken.has(name)).toBe(false)
    taken.add(name)
  }
})
