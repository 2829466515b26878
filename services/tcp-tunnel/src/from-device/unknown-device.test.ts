import { createLogger, tellUnknownDevice, unknownDevice } from "@serialcast/service-kit"
import { FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { PlayedDevices } from "../testing/test-device.ts"

/** With the device local/uno, or with none yet. */
function setUp(address: string, devices = new PlayedDevices()) {
  const clock = new FakeClock()
  const lines: unknown[] = []
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) }
  const log = createLogger({ name: "test", level: "info", pretty: false, destination })
  const telling = tellUnknownDevice({ address, devices, clock, log })
  return { devices, clock, lines, telling }
}

test.each([
  ["local/unno", "No gateway has announced the device local/unno yet; did you mean local/uno?"],
  ["lokal/uno", "No gateway has announced the device lokal/uno yet; did you mean local/uno?"],
  ["attic/stove", "No gateway has announced the device attic/stove yet."],
])("of %s it is said: %s", (address, message) => {
  expect(unknownDevice(address, new PlayedDevices())).toMatchObject({ code: "unknown_device", message })
})

test("a device that is not announced within 5 s is one line of the log", () => {
  const { clock, lines } = setUp("local/unno")
  clock.advance(4_999)
  expect(lines).toEqual([])
  clock.advance(60_000)
  const reason = expect.stringContaining("did you mean local/uno?")
  expect(lines).toMatchObject([{ level: "warn", device: "local/unno", code: "unknown_device", reason }])
})

test("one that is known, is announced in time, or is not wanted any more, is no line", () => {
  const known = setUp("local/uno")
  const late = setUp("local/uno", new PlayedDevices({ isKnown: false }))
  const left = setUp("local/unno")
  late.devices.setState({})
  left.telling[Symbol.dispose]()
  for (const { clock, lines } of [known, late, left]) {
    clock.advance(60_000)
    expect([lines, clock.pendingTimers]).toEqual([[], 0])
  }
})
