import type { Mark, PortSettings } from "@serialcast/contract"
import { eventually } from "@serialcast/testkit"
import { describe, expect, test } from "vitest"
import type { TestAll } from "../testing/start-test-all.ts"
import { portOf } from "./testing/raw-client.ts"
import { type PySerial, spawnPySerial } from "./testing/rfc2217-pyserial.ts"
import { fast, startModem, startTunnel, stateOf } from "./testing/rfc2217-tunnel.ts"

const mebibyte = 1024 * 1024
const bothOff = { dtr: false, rts: false }

/** The changes of lines that clients of tunnels made since the modem was opened. */
async function lineChanges({ all }: TestAll): Promise<{ dtr: unknown; rts: unknown }[]> {
  const marks: Extract<Mark, { kind: "lines" }>[] = []
  const { signal } = new AbortController()
  for await (const event of all.devices.device("local/modem").history({ from: { kind: "start" }, signal }))
    if (event.kind === "mark" && event.mark.kind === "lines") marks.push(event.mark)
  return marks
    .filter(({ by }) => by?.startsWith("tcp:"))
    .map(({ lines }) => ({ dtr: lines["dtr"], rts: lines["rts"] }))
}

/** What pySerial is told to set, and what the port then has. */
type SettingStep = readonly [values: object, settings: Partial<PortSettings>]

const baudRates = [50, 9_600, 65_280, 250_000, 3_000_000].map(
  (rate): SettingStep => [{ baudrate: rate }, { baudRate: rate }],
)
const dataBits = ([5, 6, 7, 8] as const).map((bits): SettingStep => [{ bytesize: bits }, { dataBits: bits }])
const parities: readonly SettingStep[] = [
  [{ parity: "E" }, { parity: "even" }],
  [{ parity: "O" }, { parity: "odd" }],
  [{ parity: "M" }, { parity: "mark" }],
  [{ parity: "S" }, { parity: "space" }],
  [{ parity: "N" }, { parity: "none" }],
]
const stopBits: readonly SettingStep[] = [
  [{ stopbits: 2 }, { stopBits: 2 }],
  [{ stopbits: 1 }, { stopBits: 1 }],
]
const flowControls: readonly SettingStep[] = [
  [{ rtscts: true }, { flowControl: "hardware" }],
  [{ rtscts: false, xonxoff: true }, { flowControl: "software" }],
  [{ xonxoff: false }, { flowControl: "none" }],
]

async function checkSettings(
  running: TestAll,
  device: string,
  serial: PySerial,
  steps: readonly SettingStep[],
): Promise<void> {
  for (const [values, settings] of steps) {
    // It throws when the answer is not what it set.
    await serial.set(values)
    expect(await serial.get(...Object.keys(values))).toEqual(values)
    await eventually(() => expect(stateOf(running, device)?.settings).toMatchObject(settings))
  }
}

describe("pySerial on a port without modem lines", () => {
  test("opens, reads ready lines, closes and opens again, whatever lines it asks for", async () => {
    await using running = await startTunnel()
    const { all, pty } = running
    const serial = spawnPySerial()
    for (const before of [{}, bothOff, {}]) {
      await serial.open(portOf(all), { before })
      expect(await serial.get("cts", "dsr", "ri", "cd")).toEqual({
        cts: true,
        dsr: true,
        ri: false,
        cd: true,
      })
      await serial.set({ dtr: false, rts: false })
      await serial.set({ dtr: true, rts: true, break_condition: true })
      await serial.set({ break_condition: false })
      await serial.run({ do: "write", hex: "00ff0d00" })
      expect(await pty.read(4)).toEqual(Uint8Array.of(0x00, 0xff, 0x0d, 0x00))
      await serial.run({ do: "close" })
    }
  })

  test("has every setting that it sets, and so has the port", async () => {
    await using running = await startTunnel()
    const serial = spawnPySerial()
    await serial.open(portOf(running.all), { options: { baudrate: 115_200 } })
    // Pseudo-terminals have neither parity nor other sizes than eight bits.
    await checkSettings(running, "pty", serial, [...baudRates, ...stopBits, ...flowControls])
  })

  test("is told that a value is refused which no port has", async () => {
    await using running = await startTunnel()
    const serial = spawnPySerial()
    await serial.open(portOf(running.all))
    const before = stateOf(running, "pty")?.settings
    await expect(serial.set({ stopbits: 1.5 })).rejects.toThrow("remote rejected value for option 'stopsize'")
    await expect(serial.set({ stopbits: 1, baudrate: 100_000_000 })).rejects.toThrow("remote rejected value")
    expect(stateOf(running, "pty")?.settings).toEqual(before)
  })

  test("gets a megabyte of all byte values back that the device echoes", async () => {
    await using running = await startTunnel()
    const { all, pty } = running
    const serial = spawnPySerial()
    await serial.open(portOf(all))
    const echoed = serial.run({ do: "echo", count: mebibyte })
    for (let at = 0; at < mebibyte; at += 4_096) await pty.write(await pty.read(4_096))
    expect(await echoed).toBeNull()
  })

  test("drops what the device sent before it resets its input, and nothing of what comes then", async () => {
    await using running = await startTunnel()
    const { all, pty } = running
    const serial = spawnPySerial()
    await serial.open(portOf(all))
    for (const text of ["first", "second", "third"]) {
      await pty.write(new TextEncoder().encode("stale"))
      await serial.run({ do: "read", count: 1 })
      await serial.run({ do: "call", method: "reset_input_buffer" })
      await pty.write(new TextEncoder().encode(text))
      expect(await serial.run({ do: "read", count: text.length })).toBe(Buffer.from(text).toString("hex"))
    }
    await serial.run({ do: "call", method: "reset_output_buffer" })
    await serial.run({ do: "write", hex: "414243" })
    expect(await pty.read(3)).toEqual(Uint8Array.of(0x41, 0x42, 0x43))
  })

  test("writes everything that it wrote before it closed", async () => {
    await using running = await startTunnel()
    const { all, pty } = running
    const serial = spawnPySerial()
    await serial.open(portOf(all))
    await serial.run({ do: "write", hex: "55".repeat(100_000) })
    await serial.run({ do: "close" })
    expect((await pty.read(100_000)).every((byte) => byte === 0x55)).toBe(true)
  })
})

describe("pySerial on a port with modem lines", () => {
  test("has every setting that it sets, and so has the port", async () => {
    await using running = await startModem()
    const serial = spawnPySerial()
    await serial.open(portOf(running.all))
    const steps = [...baudRates, ...dataBits, ...parities, ...stopBits, ...flowControls]
    await checkSettings(running, "modem", serial, steps)
  })

  test("sets lines, and sees those that the device drives", async () => {
    await using running = await startModem()
    const serial = spawnPySerial()
    await serial.open(portOf(running.all), { options: { baudrate: fast } })
    expect(await serial.get("cts", "dsr", "ri", "cd")).toEqual({ cts: true, dsr: true, ri: false, cd: true })
    const sees = (lines: object) =>
      eventually(async () => expect(await serial.get("cts", "dsr", "ri", "cd")).toMatchObject(lines))
    await serial.set({ rts: false })
    await sees({ cts: false, dsr: true, cd: true })
    await serial.set({ dtr: false })
    await sees({ cts: false, dsr: false, cd: false })
    await serial.set({ rts: true, dtr: true })
    await sees({ cts: true, dsr: true, cd: true })
  })

  test("touches no line by opening with the lines as they are", async () => {
    await using running = await startModem()
    const serial = spawnPySerial()
    await serial.open(portOf(running.all))
    await serial.run({ do: "close" })
    expect(await lineChanges(running)).toEqual([])
    await serial.open(portOf(running.all), { before: bothOff })
    await serial.run({ do: "close" })
    await serial.open(portOf(running.all), { before: bothOff })
    expect(await lineChanges(running)).toEqual([
      { dtr: false, rts: true },
      { dtr: false, rts: false },
    ])
  })

  test("sends a break, which a UART reads as a zero byte", async () => {
    await using running = await startModem()
    const serial = spawnPySerial()
    await serial.open(portOf(running.all), { options: { baudrate: fast } })
    await serial.run({ do: "call", method: "send_break", arguments: [0.05] })
    await serial.run({ do: "write", hex: "41" })
    expect(await serial.run({ do: "read", count: 2 })).toBe("0041")
  })

  test("gets a megabyte of all byte values back", async () => {
    await using running = await startModem()
    const serial = spawnPySerial()
    await serial.open(portOf(running.all), { options: { baudrate: fast } })
    expect(await serial.run({ do: "echo", count: mebibyte })).toBeNull()
  })

  // What esptool does: its classic reset, with its pauses, and its hard reset.
  const classic = "D0|R1|W0.1|D1|R0|W0.05|D0"
  const hardReset = "R1|W0.1|R0"
  // As the defaults, but with another end each, so that they can be told apart.
  const macros = { reset: "D0R1|W0.01|D1R1", bootloader: "D0R1|W0.01|D1R0" }

  test("resets a board by macros, once for each sequence, and not by opening", async () => {
    await using running = await startModem({ lines: "macro", macros })
    const serial = spawnPySerial()
    const played = (changes: object[]) =>
      eventually(async () => expect(await lineChanges(running)).toEqual(changes))
    for (const dtr of [false, true])
      for (const rts of [false, true]) {
        await serial.open(portOf(running.all), { before: { dtr, rts } })
        await serial.run({ do: "close" })
      }
    await serial.open(portOf(running.all))
    await played([])
    await serial.run({ do: "sequence", steps: classic })
    await played([{ dtr: true, rts: false }])
    await serial.run({ do: "sequence", steps: hardReset })
    await played([
      { dtr: true, rts: false },
      { dtr: true, rts: true },
    ])
    expect(await serial.get("dtr", "rts")).toEqual(bothOff)
  })

  test("moves no line of a tunnel that ignores them", async () => {
    await using running = await startModem({ lines: "ignore", macros })
    const serial = spawnPySerial()
    await serial.open(portOf(running.all), { before: bothOff })
    await serial.run({ do: "sequence", steps: `${classic}|${hardReset}` })
    await serial.run({ do: "write", hex: "41" })
    await serial.run({ do: "read", count: 1 })
    expect(await lineChanges(running)).toEqual([])
  })
})
