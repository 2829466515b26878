import type { PortSettings } from "@serialcast/contract"
import { openPty } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { defaultSettings } from "../default-settings.ts"
import { PortRecord } from "../testing/port-record.ts"
import { createTtyDriver } from "./tty-driver.ts"
import { type RateControl, setRate } from "./tty-settings.ts"

type Change = Partial<PortSettings>

// What a pseudo-terminal does not take: it has eight data bits and no parity.
const changes: readonly (readonly [change: Change, unsupported: readonly string[]])[] = [
  [{ parity: "even" }, ["parity"]],
  [{ parity: "odd", baudRate: 9_600 }, ["parity"]],
  [{ parity: "mark" }, ["parity"]],
  [{ parity: "space", stopBits: 2 }, ["parity"]],
  [{ dataBits: 5 }, ["dataBits"]],
  [{ dataBits: 6, baudRate: 74_880 }, ["dataBits"]],
  [{ dataBits: 7, parity: "even", baudRate: 19_200, flowControl: "software" }, ["dataBits", "parity"]],
]

const takenByAll: readonly Change[] = [
  {},
  { baudRate: 9_600, stopBits: 2, flowControl: "software" },
  { baudRate: 1_234_567, flowControl: "hardware" },
]

const whatPtysHave = { dataBits: 8, parity: "none" } as const

test.each(changes)(
  "a terminal that is opened with %j opens, each time anew, and names what it refuses: %j",
  async (change, unsupported) => {
    await using pty = await openPty()
    const notes: string[] = []
    const driver = createTtyDriver(pty.path, { onNote: (note) => notes.push(note) })
    const wanted = { ...defaultSettings, ...change }
    // From the second opening on it has the rest already, and stty calls the same settings invalid.
    for (let open = 1; open <= 3; open++) {
      const port = await driver.open(wanted, new PortRecord())
      expect(port.settings).toEqual({ ...wanted, ...whatPtysHave, unsupported })
      expect(notes).toHaveLength(open)
      await port.write(Uint8Array.of(0x0a, 0xff))
      expect(await pty.read(2)).toEqual(Uint8Array.of(0x0a, 0xff))
      await port.close()
    }
    for (const name of unsupported) expect(notes[0]).toContain(name)
  },
)

test.each(changes)(
  "an open terminal that is changed to %j goes on, and names what it refuses: %j",
  async (change, unsupported) => {
    await using pty = await openPty()
    const port = await createTtyDriver(pty.path).open(defaultSettings, new PortRecord())
    const wanted = { ...defaultSettings, ...change }
    for (let time = 1; time <= 2; time++) {
      await port.configure(wanted)
      expect(port.settings).toEqual({ ...wanted, ...whatPtysHave, unsupported })
    }
    await port.configure(defaultSettings)
    expect(port.settings).toEqual(defaultSettings)
    await port.close()
  },
)

test.each(takenByAll)("a terminal that takes all of %j says so", async (change) => {
  await using pty = await openPty()
  const driver = createTtyDriver(pty.path)
  const wanted = { ...defaultSettings, ...change }
  const port = await driver.open(wanted, new PortRecord())
  expect(port.settings).toEqual(wanted)
  await port.configure(defaultSettings)
  await port.configure(wanted)
  expect(port.settings).toEqual(wanted)
  await port.close()
})

/** A driver of the system that has this rate, whatever it is asked for. */
function createControl(rate: number | null, isRefusing = false): RateControl {
  return {
    async update() {
      if (isRefusing) throw new Error("Error: Invalid argument, cannot set custom baud rate")
    },
    async getBaudRate() {
      if (rate === null) throw new Error("Error: Inappropriate ioctl for device, cannot get")
      return { baudRate: rate }
    },
  }
}

test.each([
  ["refuses it", createControl(9_600, true), 9_600],
  ["takes another one instead without a word", createControl(115_200), 115_200],
  ["tells no rate at all", createControl(null), null],
])("an unknown baud rate is told to be refused by a UART that %s", async (_what, control, found) => {
  const settings = { ...defaultSettings, baudRate: 250_000 }
  expect(await setRate(control, settings, null)).toEqual([{ setting: "baudRate", wanted: 250_000, found }])
})

test("a baud rate is taken by a UART whose clock comes near enough", async () => {
  expect(await setRate(createControl(75_000), { ...defaultSettings, baudRate: 74_880 }, null)).toEqual([])
})

test("a standard baud rate that a UART is too slow for is told to be refused", async () => {
  const settings = { ...defaultSettings, baudRate: 4_000_000 }
  const { baudRate: _, ...report } = defaultSettings
  const refusals = await setRate(createControl(115_200), settings, report)
  expect(refusals).toEqual([{ setting: "baudRate", wanted: 4_000_000, found: 115_200 }])
})
