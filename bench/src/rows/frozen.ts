import { readUsage } from "../rig/process-usage.ts"
import type { Row } from "../row.ts"

const liveClients = 10
const seconds = 15
const bytesPerSecond = 1_000_000
const chunkBytes = 1_000

/** What a client that stopped reading costs the others and the gateway. */
export const frozen: Row = {
  name: "frozen",
  what: "ten WebSocket clients of a device at 1 MB/s, 15 s without and 15 s with an eleventh that never reads, after 15 s of warm-up",
  figures: [
    { name: "p99 delay without", unit: "ms", isBetter: "lower" },
    { name: "p99 delay with", unit: "ms", isBetter: "lower" },
    { name: "with / without", unit: "", isBetter: "lower", floor: 1.2 },
    { name: "memory more", unit: "MB", isBetter: "lower", floor: 16 },
  ],
  async run(rig) {
    await using load = await rig.startLoad()
    const device = await load.openDevice()
    await using gateway = await rig.startGateway({ ports: [device.path] })
    const live = await Promise.all(
      Array.from({ length: liveClients }, () => device.connect(gateway.webSocket(0))),
    )
    let sent = 0
    const phase = async () => {
      const bytes = rig.scaled(seconds) * bytesPerSecond
      sent += bytes
      await device.feed({ bytes, bytesPerSecond, chunkBytes })
      await Promise.all(live.map((client) => client.until(sent)))
      const { p99Us } = await load.takeDelays()
      return { p99Ms: p99Us / 1_000, ...(await readUsage(gateway.pid)) }
    }
    await phase()
    const without = await phase()
    const frozenClient = await device.connect(gateway.webSocket(0))
    await frozenClient.freeze()
    const withIt = await phase()
    return {
      "p99 delay without": without.p99Ms,
      "p99 delay with": withIt.p99Ms,
      "with / without": withIt.p99Ms / without.p99Ms,
      "memory more": (withIt.residentBytes - without.residentBytes) / 1e6,
    }
  },
}
