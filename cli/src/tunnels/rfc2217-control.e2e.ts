import { setTimeout as pause } from "node:timers/promises"
import { deviceAt } from "@serialcast/serial-agent"
import { eventually } from "@serialcast/testkit"
import { describe, expect, test } from "vitest"
import { listenAsDevice } from "../testing/listen-as-device.ts"
import { untilOffline } from "../testing/start-test-all.ts"
import { portOf } from "./testing/raw-client.ts"
import { spawnPySerial } from "./testing/rfc2217-pyserial.ts"
import { fast, startModem, startTunnel, stateOf, untilOnline } from "./testing/rfc2217-tunnel.ts"

describe("several programs with pySerial on one port", () => {
  test("the first has control; the second gets all bytes, changes nothing, and has control when the first leaves", async () => {
    await using running = await startModem()
    const { all } = running
    const [first, second] = [spawnPySerial(), spawnPySerial()]
    const options = { baudrate: fast }
    await first.open(portOf(all), { options })
    await second.open(portOf(all), { options })
    await expect(second.set({ baudrate: 9_600 })).rejects.toThrow(
      "remote rejected value for option 'baudrate'",
    )
    await expect(second.set({ baudrate: fast, dtr: false })).rejects.toThrow(
      "remote rejected value for option 'control'",
    )
    await first.run({ do: "write", hex: "0102" })
    expect(await first.run({ do: "read", count: 2 })).toBe("0102")
    expect(await second.run({ do: "read", count: 2 })).toBe("0102")
    expect(all.served().tunnels[0]?.clients.map(({ hasControl }) => hasControl)).toEqual([true, false])
    await first.run({ do: "close" })
    await eventually(() =>
      expect(all.served().tunnels[0]?.clients.map(({ hasControl }) => hasControl)).toEqual([true]),
    )
    await second.run({ do: "write", hex: "0304" })
    expect(await second.run({ do: "read", count: 2 })).toBe("0304")
  })

  test("a watcher that writes is disconnected, and none of its bytes reaches the device", async () => {
    await using running = await startTunnel()
    const { all, pty } = running
    const [first, second] = [spawnPySerial(), spawnPySerial()]
    await first.open(portOf(all))
    await second.open(portOf(all))
    await second.run({ do: "write", hex: "5858" })
    await eventually(() => expect(all.served().tunnels[0]?.clientCount).toBe(1))
    expect(all.served().tunnels[0]?.totals.refusedBytes).toBe(2)
    await first.run({ do: "write", hex: "41" })
    expect(await pty.read(1)).toEqual(Uint8Array.of(0x41))
  })

  test("while somebody else holds the device all watch; then the one that waited longest has control", async () => {
    await using running = await startTunnel()
    const { all, pty } = running
    const lease = await all.devices.device("local/pty").acquireLease({ by: "test", ttlMs: 30_000 })
    const serial = spawnPySerial()
    await serial.open(portOf(all), { options: { baudrate: 115_200 } })
    await expect(serial.set({ baudrate: 9_600 })).rejects.toThrow(
      "remote rejected value for option 'baudrate'",
    )
    await lease.release()
    await eventually(() => expect(all.served().tunnels[0]?.clients[0]?.hasControl).toBe(true))
    await serial.set({ baudrate: 19_200 })
    await serial.run({ do: "write", hex: "41" })
    expect(await pty.read(1)).toEqual(Uint8Array.of(0x41))
    await eventually(() => expect(stateOf(running, "pty")?.settings.baudRate).toBe(19_200))
  })

  test("with shared control everyone writes and sets", async () => {
    await using running = await startTunnel({ control: "shared" })
    const { all, pty } = running
    const [first, second] = [spawnPySerial(), spawnPySerial()]
    await first.open(portOf(all))
    await second.open(portOf(all))
    await first.set({ baudrate: 9_600 })
    await second.set({ baudrate: 19_200 })
    await first.run({ do: "write", hex: "41" })
    expect(await pty.read(1)).toEqual(Uint8Array.of(0x41))
    await second.run({ do: "write", hex: "42" })
    expect(await pty.read(1)).toEqual(Uint8Array.of(0x42))
    await eventually(() => expect(stateOf(running, "pty")?.settings.baudRate).toBe(19_200))
  })

  test("the settings from before it come back when the one that changed them leaves", async () => {
    await using running = await startTunnel({ restoreSettings: true })
    const serial = spawnPySerial()
    await serial.open(portOf(running.all), { options: { baudrate: 9_600, stopbits: 2 } })
    await eventually(() =>
      expect(stateOf(running, "pty")?.settings).toMatchObject({ baudRate: 9_600, stopBits: 2 }),
    )
    // As a program that crashes leaves.
    await serial.kill()
    await eventually(() =>
      expect(stateOf(running, "pty")?.settings).toMatchObject({ baudRate: 115_200, stopBits: 1 }),
    )
  })
})

describe("pySerial while the device is unplugged and comes back", () => {
  test("stays connected, sees the lines go off, changes settings for later, and writes again", async () => {
    const serial = spawnPySerial()
    await using device = await listenAsDevice()
    await using running = await startTunnel(
      { device: "local/net" },
      { net: deviceAt(`tcp://127.0.0.1:${device.port}`) },
    )
    const { all } = running
    await untilOnline(running, "net")
    await serial.open(portOf(all), { options: { baudrate: 115_200 } })
    await serial.run({ do: "write", hex: "61" })
    await device.received("a")
    // Its system may acknowledge the byte a little later, and until then nobody knows that it has it.
    await eventually(() => expect(all.served().tunnels[0]?.totals.fromClients).toBe(1))
    await device.goAway()
    await untilOffline(all, "local/net")
    await eventually(async () =>
      expect(await serial.get("cts", "dsr", "ri", "cd")).toEqual({
        cts: false,
        dsr: false,
        ri: false,
        cd: false,
      }),
    )
    await serial.set({ baudrate: 19_200, dtr: false })
    await device.comeBack()
    await untilOnline(running, "net")
    expect(stateOf(running, "net")?.settings.baudRate).toBe(19_200)
    await eventually(async () => expect(await serial.get("cts", "cd")).toEqual({ cts: true, cd: true }))
    // What comes in right after the replug counts as sent before it.
    await pause(200)
    await serial.run({ do: "write", hex: "62" })
    await device.received("ab")
  })

  test("is disconnected when it writes then", async () => {
    const serial = spawnPySerial()
    await using device = await listenAsDevice()
    await using running = await startTunnel(
      { device: "local/net" },
      { net: deviceAt(`tcp://127.0.0.1:${device.port}`) },
    )
    const { all } = running
    await untilOnline(running, "net")
    await serial.open(portOf(all), { options: { baudrate: 115_200 } })
    await device.goAway()
    await untilOffline(all, "local/net")
    await serial.run({ do: "write", hex: "6c6f7374" })
    await eventually(() =>
      expect(all.served().tunnels[0]).toMatchObject({ clientCount: 0, totals: { refusedBytes: 4 } }),
    )
  })

  test("is disconnected where the tunnel closes then", async () => {
    const serial = spawnPySerial()
    await using device = await listenAsDevice()
    await using running = await startTunnel(
      { device: "local/net", onUnplug: "close" },
      { net: deviceAt(`tcp://127.0.0.1:${device.port}`) },
    )
    const { all } = running
    await untilOnline(running, "net")
    await serial.open(portOf(all), { options: { baudrate: 115_200 } })
    await device.goAway()
    await eventually(() => expect(all.served().tunnels[0]?.clientCount).toBe(0))
  })
})
