import type { TunnelState } from "@serialcast/contract"
import { type Clock, systemClock } from "@serialcast/primitives"
import { createPeerWatch } from "@serialcast/primitives/tcp"
import { createLogger, type SerialtcpServerTunnel } from "@serialcast/service-kit"
import { clockTroubles, eventually, FakeClock } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import { PlayedDevices } from "../testing/test-device.ts"
import { connectClient } from "../testing/test-tunnel.ts"
import type { Tunnel } from "../tunnel.ts"
import { startSerialtcpServerTunnel } from "./serialtcp-server-tunnel.ts"

/** Of a far end, with the role of a client. */
const far = {
  preamble: "\x1fD\x1fD\x1f\xc1",
  steps: "\x1f\xc2\x1f\xc3",
  accepts: "\x1fc\x1fs",
  ends: "\x1fD",
}

interface Started {
  readonly tunnel: Tunnel
  readonly devices: PlayedDevices
  /** The state at each change that was told. */
  readonly told: TunnelState[]
  readonly advance: (ms: number) => Promise<void>
  /** All that was written to the line, as one-byte characters. */
  readonly line: () => string
}

/** The server's end, in front of a device that the test plays. */
async function startServer(
  changes: Partial<SerialtcpServerTunnel> = {},
  { clock = new FakeClock(), devices = new PlayedDevices() } = {},
): Promise<Started> {
  const config: SerialtcpServerTunnel = {
    type: "serialtcp-server",
    listen: { host: "127.0.0.1", port: 0 },
    device: "local/uno",
    allow: null,
    idleTimeoutMs: null,
    whenBusy: "queue",
    timeoutMs: 10_000,
    syncTimeoutMs: null,
    silenceMs: 20,
    graceMs: 100,
    ...changes,
  }
  const told: TunnelState[] = []
  const log = createLogger({ name: "test", level: "silent" })
  const onChange = () => {
    if (started !== null) told.push(started.state())
  }
  let started: Tunnel | null = null
  const peers = createPeerWatch({ clock: systemClock })
  const deps = { devices, clock: clock as Clock, peers, log, onChange }
  const tunnel = await startSerialtcpServerTunnel(config, deps)
  started = tunnel
  onTestFinished(async () => {
    const stopped = tunnel.stop()
    await clock.advanceAsync(2_000)
    await stopped
  })
  const advance = (ms: number) => clock.advanceAsync(ms)
  await advance(0)
  const line = () =>
    devices.sessions
      .flatMap(({ written }) => written)
      .map((bytes) => Buffer.from(bytes).toString("latin1"))
      .join("")
  return { tunnel, devices, told, advance, line }
}

/** Both ends have found each other. */
async function startIdle(...options: Parameters<typeof startServer>): Promise<Started> {
  const started = await startServer(...options)
  started.devices.send(far.preamble + far.steps)
  await started.advance(1)
  expect(started.tunnel.state().link).toBe("idle")
  return started
}

async function startConnected(...options: Parameters<typeof startServer>) {
  const started = await startIdle(...options)
  const { tunnel, devices, advance } = started
  const client = await connectClient(tunnel.address?.port ?? 0)
  await eventually(() => expect(tunnel.state().link).toBe("connecting"))
  devices.send(far.accepts)
  await advance(1)
  expect(tunnel.state().link).toBe("connected")
  return { ...started, client }
}

test("every change of the link is told", async () => {
  const { devices, told, advance, client } = await startConnected()
  client.socket.end()
  await eventually(async () => {
    await advance(50)
    expect(told.at(-1)?.link).toBe("synchronising")
  })
  devices.send(far.preamble + far.steps)
  await advance(1)
  // Nobody is connected: only the link tells that the far end was restarted.
  devices.send(far.preamble)
  await advance(1)
  const links = told.map(({ link }) => link).filter((link, at, all) => link !== all[at - 1])
  expect(links).toEqual([
    "synchronising",
    "idle",
    "connecting",
    "connected",
    "synchronising",
    "idle",
    "synchronising",
  ])
})

test("a device that comes back is no problem any more, though the far end is not there yet", async () => {
  const { devices, told, advance } = await startServer()
  devices.unplug()
  await advance(1)
  expect(told.at(-1)?.problem?.code).toBe("device_offline")
  devices.replug()
  await advance(1_200)
  expect(told.at(-1)).toMatchObject({ problem: null, link: "synchronising" })
})

test.each(clockTroubles)("on a machine %s attempts go on at their times", async (_title, befall) => {
  const clock = new FakeClock()
  const { advance, line } = await startServer({}, { clock })
  befall(clock)
  for (let second = 0; second < 10; second++) await advance(1_000)
  expect(line().split("\x1f\xe0")).toHaveLength(6)
})

test("a client whose bytes the line has still to take is not idle", async () => {
  const { tunnel, devices, advance, client } = await startConnected({ idleTimeoutMs: 5_000 })
  devices.drainsItself = false
  client.socket.write("slow")
  await eventually(() => expect(tunnel.state().clients[0]?.bytes.fromClient).toBe(4))
  for (let second = 0; second < 60; second++) await advance(1_000)
  for (const session of devices.sessions) session.drain()
  await advance(1_000)
  expect(tunnel.state().link).toBe("connected")
  for (let second = 0; second < 11; second++) await advance(1_000)
  expect(tunnel.state().link).toBe("synchronising")
})

test("stops within 2 s when the agent does not answer", async () => {
  const devices = new PlayedDevices()
  devices.isDeaf = true
  const { tunnel, advance } = await startServer({}, { devices })
  let isStopped = false
  const stopped = tunnel.stop().then(() => {
    isStopped = true
  })
  await advance(2_000)
  await eventually(() => expect(isStopped).toBe(true))
  await stopped
})
