import { type Clock, systemClock } from "@serialcast/primitives"
import { createPeerWatch } from "@serialcast/primitives/tcp"
import { createLogger, type Rfc2217Tunnel } from "@serialcast/service-kit"
import { eventually, FakeClock } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import { PlayedDevices } from "../testing/test-device.ts"
import { connectClient } from "../testing/test-tunnel.ts"
import { startRfc2217Tunnel } from "./rfc2217-tunnel.ts"

const hex = (text: string) => Buffer.from(text.replaceAll(/\s/g, ""), "hex")
const willComPort = hex("fffb2c")
const baudRate9600 = hex("fffa2c 01 00002580 fff0")
const breakOn = hex("fffa2c 05 05 fff0")

async function start(changes: Partial<Rfc2217Tunnel> = {}, clock: Clock = systemClock) {
  const devices = new PlayedDevices()
  const config: Rfc2217Tunnel = {
    type: "rfc2217",
    listen: { host: "127.0.0.1", port: 0 },
    device: "local/uno",
    allow: null,
    idleTimeoutMs: null,
    maxClients: 32,
    // Single letters go on at once.
    allowHttp: true,
    onUnplug: "keep",
    replayBytes: 0,
    control: "exclusive",
    lines: "pass",
    macros: { reset: "D0R1|R0", bootloader: "D0R1|D1R0|D0" },
    restoreSettings: false,
    ...changes,
  }
  const peers = createPeerWatch({ clock: systemClock })
  const log = createLogger({ name: "test", level: "silent" })
  const tunnel = await startRfc2217Tunnel(config, { devices, clock, peers, log, onChange: () => {} })
  onTestFinished(() => tunnel.stop())
  const connect = () => connectClient(tunnel.address?.port ?? 0)
  const stopMs = async () => {
    const startMs = performance.now()
    await tunnel.stop()
    return performance.now() - startMs
  }
  return { devices, tunnel, connect, stopMs }
}

test("a stop is over within 2 s when nobody answers any more, with settings and a break to take back", async () => {
  const { devices, tunnel, connect, stopMs } = await start({ restoreSettings: true })
  devices.drainsItself = false
  const client = await connect()
  client.socket.write(Buffer.concat([willComPort, baudRate9600, breakOn]))
  await eventually(() =>
    expect(devices.calls).toMatchObject([{ verb: "lease" }, { verb: "configure" }, { verb: "signal" }]),
  )
  client.socket.write("never written")
  await eventually(() => expect(devices.sessions).toHaveLength(1))
  devices.isDeaf = true
  expect(await stopMs()).toBeLessThan(2_500)
  expect(devices.listeners).toBe(0)
  expect(tunnel.state()).toMatchObject({ clientCount: 0, totals: { refusedBytes: 13 } })
  expect(await client.ended).toBe("reset")
})

test("a stop is over within 2 s while it is not known who has control, whatever clients ask for", async () => {
  const { devices, connect, stopMs } = await start()
  devices.isDeaf = true
  const client = await connect()
  client.socket.write(Buffer.concat([willComPort, ...Array.from({ length: 20 }, () => baudRate9600)]))
  await eventually(() => expect(devices.calls).toMatchObject([{ verb: "lease" }]))
  await eventually(() => expect(client.text.length).toBeGreaterThan(20))
  expect(await stopMs()).toBeLessThan(2_500)
  expect(devices.listeners).toBe(0)
})

test("a web browser is reset before anything of it is written or asked, and the next client has control", async () => {
  const { devices, tunnel, connect } = await start({ allowHttp: false })
  const page = await connect()
  page.socket.write("GET /%ff%f3 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
  expect(await page.ended).toBe("reset")
  const program = await connect()
  program.socket.write(Buffer.concat([willComPort, Buffer.from("x")]))
  await eventually(() =>
    expect(devices.sessions.map(({ written }) => Buffer.concat(written).toString())).toEqual(["x"]),
  )
  expect(tunnel.state().totals.refusedClients).toBe(1)
})

test("settings go back also when the device is stuck with bytes of the client that changed them", async () => {
  const { devices, tunnel, connect } = await start({ restoreSettings: true })
  devices.drainsItself = false
  const client = await connect()
  client.socket.write(Buffer.concat([willComPort, baudRate9600]))
  await eventually(() => expect(devices.calls).toHaveLength(2))
  client.socket.write("stuck")
  await eventually(() => expect(devices.sessions).toHaveLength(1))
  client.socket.resetAndDestroy()
  await tunnel.stop()
  expect(devices.calls).toMatchObject([
    { verb: "lease" },
    { verb: "configure", settings: { baudRate: 9_600 } },
    { verb: "configure", settings: { baudRate: 115_200 }, lease: expect.any(String) },
    { verb: "release" },
  ])
})

test("a client that ended its side is reset, not ended, when a stuck device does not take what it sent", async () => {
  const clock = new FakeClock()
  const { devices, tunnel, connect } = await start({}, clock)
  devices.drainsItself = false
  const client = await connect()
  client.socket.end("stuck")
  await eventually(() => expect(devices.sessions).toHaveLength(1))
  await eventually(() => expect(clock.pendingTimers).toBe(1))
  // 10 s, and the time of the longest write at 115,200 Bd.
  await clock.advanceAsync(16_250)
  expect(await client.ended).toBe("reset")
  await eventually(() =>
    expect(tunnel.state()).toMatchObject({ clientCount: 0, totals: { refusedBytes: 5 } }),
  )
})

test("many clients that leave at the same time, with bytes that the device has still to take, are no leak", async () => {
  const warnings: Error[] = []
  const onWarning = (warning: Error) => warnings.push(warning)
  process.on("warning", onWarning)
  onTestFinished(() => void process.off("warning", onWarning))
  const { devices, tunnel, connect } = await start({ control: "shared" })
  devices.drainsItself = false
  const clients = await Promise.all(Array.from({ length: 15 }, () => connect()))
  for (const { socket } of clients) socket.write("x")
  await eventually(() => expect(devices.sessions).toHaveLength(15))
  for (const { socket } of clients) socket.resetAndDestroy()
  await new Promise((resolve) => setTimeout(resolve, 50))
  for (const session of devices.sessions) session.drain()
  await eventually(() =>
    expect(tunnel.state()).toMatchObject({ clientCount: 0, totals: { fromClients: 15 } }),
  )
  expect(warnings).toEqual([])
})
