import { expect, test } from "vitest"
import { FirmwareVersion } from "./firmware-version.ts"

const bytes = (text: string) => new TextEncoder().encode(text)
const banner =
  "\r\nMPY: soft reboot\r\nMicroPython v1.29.3-preview.12.gabcdef on 2026-08-01; a board with a chip\r\n>>> "

test("the banner tells the version, wherever it is cut", () => {
  for (let cut = 0; cut <= banner.length; cut++) {
    const firmware = new FirmwareVersion()
    firmware.hear(bytes(banner.slice(0, cut)))
    firmware.hear(bytes(banner.slice(cut)))
    expect(firmware.version).toEqual([1, 29, 3])
  }
})

test("the last one counts, two numbers will do, and no number is taken that has no byte", () => {
  const firmware = new FirmwareVersion()
  firmware.hear(bytes(banner))
  firmware.hear(bytes("MicroPython v1.30 on 2027"))
  expect(firmware.version).toEqual([1, 30, 0])
  firmware.hear(bytes("MicroPython v999.1.1 on; MicroPython vx; MicroPython 1."))
  expect(firmware.version).toEqual([1, 30, 0])
})

test("what a board told whoever had it counts as well", () => {
  const firmware = new FirmwareVersion()
  expect(firmware.version).toBeNull()
  firmware.learn("1.27.0")
  firmware.learn("unknown")
  expect(firmware.version).toEqual([1, 27, 0])
})
