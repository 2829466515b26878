import { freePort } from "@serialcast/testkit"
import type { ClientProtocol, Consumer, Endpoint, Load, LoadDevice } from "../rig/load.ts"
import { coresBetween, readUsage } from "../rig/process-usage.ts"
import type { Rig } from "../rig/rig.ts"
import type { Figure, Row } from "../row.ts"
import { uartBytesPerSecond, usbPacketBytes } from "./uart.ts"

interface Kind {
  readonly name: string
  readonly protocol: ClientProtocol
  readonly count: number
}

const kinds: readonly Kind[] = [
  { name: "SSE", protocol: "sse", count: 2_000 },
  { name: "WebSocket", protocol: "websocket", count: 500 },
  { name: "MQTT", protocol: "mqtt", count: 500 },
  { name: "raw", protocol: "raw", count: 200 },
]

const seconds = 20
const warmUpSeconds = 5

/** What thousands of clients of all kinds cost at once. */
export const clients: Row = {
  name: "clients",
  what: "2,000 event streams, 500 WebSockets, 500 MQTT subscribers and 200 clients of a raw tunnel, all of one device at 11.5 kB/s in packets of 64 bytes, 20 s after 5 s: every byte of each checked, the delay of each read",
  isLong: true,
  figures: [
    ...kinds.flatMap(({ name }): readonly Figure[] => [
      { name: `${name}: p50 delay`, unit: "ms", isBetter: "lower" },
      { name: `${name}: p99 delay`, unit: "ms", isBetter: "lower" },
    ]),
    { name: "processor", unit: "cores", isBetter: "lower" },
    { name: "memory", unit: "MB", isBetter: "lower" },
    { name: "memory before the clients", unit: "MB", isBetter: "lower" },
  ],
  async run(rig) {
    await using load = await rig.startLoad()
    const device = await load.openDevice()
    const port = await freePort()
    const rawClients = rig.scaled(countOf("raw"))
    // Raw TCP does not say when a client is being served: replay makes that matter to nobody.
    const tunnel = { type: "raw", listen: `127.0.0.1:${port}`, device: "local/d0", replay: "64KiB" }
    await using gateway = await rig.startGateway({
      ports: [device.path],
      tunnels: [{ ...tunnel, maxClients: rawClients }],
    })
    const alone = await readUsage(gateway.pid)
    const endpoints: Readonly<Record<ClientProtocol, Endpoint>> = {
      sse: gateway.events(0),
      websocket: gateway.webSocket(0),
      mqtt: gateway.subscription(0),
      raw: { protocol: "raw", port, target: "-" },
    }
    const all = await connectAll(rig, device, endpoints)
    let sent = 0
    const run = async (duration: number) => {
      const bytes = rig.scaled(duration) * uartBytesPerSecond
      sent += bytes
      await device.feed({ bytes, bytesPerSecond: uartBytesPerSecond, chunkBytes: usbPacketBytes })
      await Promise.all(all.map((client) => client.until(sent)))
    }
    await run(warmUpSeconds)
    await load.takeDelays()
    const before = await readUsage(gateway.pid)
    await run(seconds)
    const after = await readUsage(gateway.pid)
    return {
      ...(await delaysOf(load)),
      processor: coresBetween(before, after),
      memory: after.residentBytes / 1e6,
      "memory before the clients": alone.residentBytes / 1e6,
    }
  },
}

function countOf(protocol: ClientProtocol): number {
  return kinds.find((kind) => kind.protocol === protocol)?.count ?? 0
}

/** One kind after the other: a listener has to take them all from a queue of some hundreds. */
async function connectAll(
  rig: Rig,
  device: LoadDevice,
  endpoints: Readonly<Record<ClientProtocol, Endpoint>>,
): Promise<readonly Consumer[]> {
  const all: Consumer[] = []
  for (const { protocol, count } of kinds) {
    const connecting = Array.from({ length: rig.scaled(count) }, () => device.connect(endpoints[protocol]))
    all.push(...(await Promise.all(connecting)))
  }
  return all
}

async function delaysOf(load: Load): Promise<Record<string, number>> {
  const figures: Record<string, number> = {}
  for (const { name, protocol } of kinds) {
    const { p50Us, p99Us } = await load.takeDelays(protocol)
    figures[`${name}: p50 delay`] = p50Us / 1_000
    figures[`${name}: p99 delay`] = p99Us / 1_000
  }
  return figures
}
