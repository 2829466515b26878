import { setTimeout as sleep } from "node:timers/promises"
import { coresBetween, readUsage } from "../rig/process-usage.ts"
import type { Rig } from "../rig/rig.ts"
import type { Row } from "../row.ts"

// Node gives back once what its start left in memory, up to a quarter of a minute later.
const settleMs = 20_000
const watchMs = 40_000
const portCount = 64

/** What the gateway costs while nothing happens. */
export const idle: Row = {
  name: "idle",
  what: "all in one process with one silent device, and with 64: 40 s, after 20 s to settle",
  figures: [
    { name: "memory", unit: "MB", isBetter: "lower", floor: 120, aim: 90 },
    { name: "processor", unit: "% of a core", isBetter: "lower", floor: 0.7, aim: 0.3 },
    { name: "memory of a port", unit: "MB", isBetter: "lower" },
    { name: "processor of a port", unit: "% of a core", isBetter: "lower" },
  ],
  async run(rig) {
    const one = await watch(rig, 1)
    const many = await watch(rig, portCount)
    return {
      memory: one.megabytes,
      processor: one.percent,
      "memory of a port": (many.megabytes - one.megabytes) / (portCount - 1),
      // The watchdog's part, mostly: a port that nobody uses is asked again and again whether it is alive.
      "processor of a port": (many.percent - one.percent) / (portCount - 1),
    }
  },
}

async function watch(rig: Rig, count: number): Promise<{ megabytes: number; percent: number }> {
  await using load = await rig.startLoad()
  const ports: string[] = []
  while (ports.length < count) ports.push((await load.openDevice()).path)
  await using gateway = await rig.startGateway({ ports })
  await sleep(rig.scaled(settleMs))
  const before = await readUsage(gateway.pid)
  await sleep(rig.scaled(watchMs))
  const after = await readUsage(gateway.pid)
  return { megabytes: after.residentBytes / 1e6, percent: coresBetween(before, after) * 100 }
}
