import { createBroker } from "@serialcast/broker"
import { createDeviceClient } from "@serialcast/device-stream"
import { msSince, systemClock } from "@serialcast/primitives"
import { createSerialAgent, deviceAt } from "@serialcast/serial-agent"
import {
  connectToBroker,
  createLogger,
  createMetrics,
  loadConfig,
  type ServiceDeps,
} from "@serialcast/service-kit"
import { connectReporter, createTcpTunnel } from "@serialcast/tcp-tunnel"
import { createTemporaryFolder, eventually, openPty } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import { connectRaw, rawTunnel } from "./testing/raw-client.ts"
import { rfc2217Tunnel } from "./testing/rfc2217-tunnel.ts"

const ascii = (text: string) => new TextEncoder().encode(text)
const free = {
  SERIALCAST_BROKER_LISTEN: "127.0.0.1:0",
  SERIALCAST_BROKER_WEBSOCKET: "127.0.0.1:0",
  SERIALCAST_BROKER_DIR: "off",
}

function createDeps(): ServiceDeps {
  const log = createLogger({ name: "test", level: "silent" })
  return { log, clock: systemClock, metrics: createMetrics(), token: null }
}

/** Services that have only the broker in common, with a device that takes a byte each 5 ms. */
async function startServices() {
  const pty = await openPty()
  const journal = createTemporaryFolder()
  const broker = await createBroker(loadConfig({ env: free }), createDeps())
  const listen = `127.0.0.1:${broker.address.port}`
  const env = {
    ...free,
    SERIALCAST_BROKER_URL: `mqtt://${listen}`,
    SERIALCAST_DISCOVER: "off",
    SERIALCAST_JOURNAL_DIR: journal.path,
  }
  const config = {
    ...loadConfig({ env }),
    devices: { pty: { ...deviceAt(pty.path), charDelayMs: 5 } },
    tunnels: [rawTunnel(), rfc2217Tunnel({ restoreSettings: true })],
  }
  const agent = await createSerialAgent(config, createDeps())
  const deps = createDeps()
  const devices = await createDeviceClient(connectToBroker(config, deps, { name: "tcp-tunnel" }), deps)
  await eventually(() => expect(devices.devices.get("local/pty")?.online).toBe(true))
  pty.releaseSlave()
  const service = await createTcpTunnel(config, { ...deps, devices, broker: connectReporter(config, deps) })
  onTestFinished(async () => {
    await service.stop()
    await devices.close()
    await agent.stop()
    await pty[Symbol.asyncDispose]()
    journal[Symbol.dispose]()
  })
  const [raw = 0, telnet = 0] = service.tunnels().map(({ endpoint }) => Number(endpoint.replace(/^.*:/, "")))
  const restartBroker = () =>
    createBroker(loadConfig({ env: { ...free, SERIALCAST_BROKER_LISTEN: listen } }), createDeps())
  return { broker, restartBroker, service, devices, pty, raw, telnet }
}

test("a stop is over in time when the broker is dead, with bytes of every kind of client on their way", async () => {
  const { broker, service, pty, raw, telnet } = await startServices()
  const [writing, ended] = await Promise.all([connectRaw(raw), connectRaw(raw)])
  const serial = await connectRaw(telnet)
  serial.socket.write(Uint8Array.of(0xff, 0xfb, 0x2c, 0xff, 0xfa, 0x2c, 0x01, 0, 0, 0x25, 0x80, 0xff, 0xf0))
  // Its opening, the modem state, and the answer.
  await serial.read(18 + 7 + 10)
  serial.socket.write(new Uint8Array(300_000))
  await pty.read(10)
  // The raw clients are refused from now on: the other one has control.
  writing.socket.write(ascii("x"))
  expect(await writing.ended).toBe("reset")
  const last = await connectRaw(raw)
  await broker.stop()
  ended.socket.end(ascii("ends while nobody answers"))
  last.socket.write(ascii("on its way when nobody answers"))
  await pty.read(10)
  const startMs = systemClock.monotonicMs()
  await service.stop()
  expect(msSince(systemClock, startMs)).toBeLessThan(2_500)
  await Promise.all([ended.ended, serial.ended, last.ended])
})

test("clients stay connected while the broker is restarted, and miss nothing", async () => {
  const { broker, restartBroker, devices, pty, raw } = await startServices()
  const client = await connectRaw(raw)
  client.socket.write(ascii("before"))
  expect(await pty.read(6)).toEqual(ascii("before"))
  await eventually(async () => {
    await pty.write(ascii("?"))
    expect(client.received).toBeGreaterThan(0)
  })
  await broker.stop()
  await pty.write(ascii("meanwhile"))
  const again = await restartBroker()
  onTestFinished(() => again.stop())
  await pty.write(ascii(", after."))
  await eventually(() => expect(devices.devices.get("local/pty")?.online).toBe(true), { timeoutMs: 15_000 })
  client.socket.write(ascii("after"))
  expect(await pty.read(5)).toEqual(ascii("after"))
  await eventually(() => expect(client.received).toBeGreaterThanOrEqual(18), { timeoutMs: 15_000 })
  const text = new TextDecoder().decode(await client.read(client.received))
  expect(text.replace(/^\?+/, "")).toBe("meanwhile, after.")
  client.socket.destroy()
})
