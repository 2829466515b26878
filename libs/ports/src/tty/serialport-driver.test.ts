import { openPty } from "@serialcast/testkit"
import { describe, expect, test } from "vitest"
import { defaultSettings } from "../default-settings.ts"
import { checkDriver } from "../testing/check-driver.ts"
import { errorOf } from "../testing/error-of.ts"
import { PortRecord } from "../testing/port-record.ts"
import { createSerialportDriver } from "./serialport-driver.ts"

describe("a port of the serialport package does what every driver promises", () => {
  checkDriver(async () => {
    const pty = await openPty()
    return {
      driver: createSerialportDriver(pty.path),
      deviceReads: (count) => pty.read(count),
      deviceWrites: (bytes) => pty.write(bytes),
      passTime: (work) => work,
      // The kernel holds some 20 KB for a terminal, and the test's device is paused beyond 32 MiB.
      tooManyBytes: 40 * 1024 * 1024,
      [Symbol.asyncDispose]: () => pty[Symbol.asyncDispose](),
    }
  })
})

test("only the baud rate can change while the port is open", async () => {
  await using pty = await openPty()
  const port = await createSerialportDriver(pty.path).open(defaultSettings, new PortRecord())
  await port.configure({ ...defaultSettings, baudRate: 74_880 })
  const refused = port.configure({ ...defaultSettings, parity: "even" })
  await expect(refused).rejects.toMatchObject({ code: "unsupported" })
  await port.close()
})

test("unplugging closes the port, says so, and rejects the write that waits", async () => {
  await using pty = await openPty()
  const heard = new PortRecord()
  const port = await createSerialportDriver(pty.path).open(defaultSettings, heard)
  const write = errorOf(port.write(new Uint8Array(40 * 1024 * 1024)))
  await pty.unplug()
  expect(await write).toEqual(new Error("the device went away"))
  expect(await heard.closed).toEqual({ reason: "the device went away" })
  await port.close()
  expect(heard.closes).toHaveLength(1)
})
