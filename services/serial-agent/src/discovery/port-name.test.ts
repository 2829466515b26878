import { isName } from "@serialcast/contract"
import { expect, test } from "vitest"
import { namePort, PortNames } from "./port-name.ts"

test.each([
  ["/dev/ttyUSB0", "ttyusb0"],
  [
    "/dev/serial/by-id/usb-Arduino__www.arduino.cc__0043_8593731-if00",
    "arduino__www-arduino-cc__0043_8593731-if00",
  ],
  ["/dev/serial/by-id/usb-.hidden", "hidden"],
  ["/dev/serial/by-path/pci-0000:00:14.0-usb-0:1.2:1.0-port0", "pci-0000-00-14-0-usb-0-1-2-1-0-port0"],
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

test("of long names the end is kept, where serial numbers and places are", () => {
  const link = (serial: string) => `/dev/serial/by-id/usb-${"Long_".repeat(20)}${serial}-if00-port0`
  expect(namePort(link("A50285BI"), new Set())).toMatch(/_a50285bi-if00-port0$/)
  expect(namePort(link("A50285BI"), new Set())).not.toBe(namePort(link("A50285BJ"), new Set()))
})

test("a port keeps its name while others come and go, and what is remembered is bounded", () => {
  const names = new PortNames(["ttyusb0"])
  expect([names.of("/dev/ttyUSB0"), names.of("/dev/serial/ttyusb0")]).toEqual(["ttyusb0-2", "ttyusb0-3"])
  for (let n = 1; n <= 998; n++) names.of(`/dev/x${n}`)
  expect(names.of("/dev/serial/ttyusb0")).toBe("ttyusb0-3")
  names.of("/dev/x999")
  expect(names.of("/other/ttyUSB0"), "the longest unseen is forgotten").toBe("ttyusb0-2")
})
