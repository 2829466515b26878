import { nowNs } from "../rig/process-usage.ts"
import type { Row } from "../row.ts"

const missedBytes = 100_000_000

/** How fast a client that was away gets what it missed. */
export const catchUp: Row = {
  name: "catch-up",
  what: "100 MB that nobody read, then fetched by one WebSocket client that asks from the start",
  figures: [
    { name: "Serialcast", unit: "MB/s", isBetter: "higher", floor: 100, aim: 150 },
    { name: "kept with no client", unit: "MB/s", isBetter: "higher" },
  ],
  async run(rig) {
    await using load = await rig.startLoad()
    const device = await load.openDevice()
    await using gateway = await rig.startGateway({ ports: [device.path], journalSize: "256MiB" })
    const bytes = rig.scaled(missedBytes)
    const fedNs = nowNs()
    const kept = await device.feed({ bytes })
    const startNs = nowNs()
    const client = await device.connect(gateway.webSocket(0, "start"))
    const { atNs } = await client.until(bytes)
    return {
      Serialcast: (bytes * 1_000) / (atNs - startNs),
      "kept with no client": (bytes * 1_000) / (kept.atNs - fedNs),
    }
  },
}
