import { setTimeout as sleep } from "node:timers/promises"
import type { Consumer } from "../rig/load.ts"
import type { Rig } from "../rig/rig.ts"
import type { Measurement, Row } from "../row.ts"
import { expectBytes } from "./expect-bytes.ts"
import { measureRaw, type RawProgram, type RawServer } from "./raw-programs.ts"

const liveClients = 10
const seconds = 15
const bytesPerSecond = 1_000_000
const chunkBytes = 1_000
/** Longer than anything but a standstill delays a byte. */
const lateMs = 2_000

/** What a client of a raw tunnel that stopped reading costs the others. */
export const rawFrozen: Row = {
  name: "raw-frozen",
  what: "ten raw TCP clients of a device at 1 MB/s, 15 s without and 15 s with an eleventh that never reads, after 15 s of warm-up; what the ten got with it, of what was to be sent",
  figures: [
    { name: "Serialcast: p99 delay without", unit: "ms", isBetter: "lower" },
    { name: "Serialcast: p99 delay with", unit: "ms", isBetter: "lower" },
    { name: "Serialcast: with / without", unit: "", isBetter: "lower", floor: 1.2 },
    { name: "Serialcast: got with", unit: "%", isBetter: "higher", floor: 100 },
    { name: "ser2net, tuned: p99 delay without", unit: "ms", isBetter: "lower" },
    { name: "ser2net, tuned: got with", unit: "%", isBetter: "higher" },
    { name: "ser2net, default: p99 delay without", unit: "ms", isBetter: "lower" },
    { name: "ser2net, default: got with", unit: "%", isBetter: "higher" },
  ],
  run: (rig) =>
    measureRaw({ rig, maxClients: liveClients + 1 }, (server, program) => measure(rig, server, program)),
}

async function measure(
  rig: Rig,
  { load, device, connect }: RawServer,
  program: RawProgram,
): Promise<Measurement> {
  const live: Consumer[] = []
  while (live.length < liveClients) live.push(await connect())
  const feed = { bytes: rig.scaled(seconds) * bytesPerSecond, bytesPerSecond, chunkBytes }
  let sent = 0
  const phase = async () => {
    sent += feed.bytes
    await Promise.all([device.feed(feed), ...live.map((client) => client.until(sent))])
    return (await load.takeDelays()).p99Us / 1_000
  }
  await phase()
  const without = await phase()
  const frozenClient = await connect()
  await frozenClient.freeze()
  if (program === "Serialcast") {
    const withIt = await phase()
    for (const client of live) expectBytes(await client.settled(), sent)
    return {
      "p99 delay without": without,
      "p99 delay with": withIt,
      "with / without": withIt / without,
      "got with": 100,
    }
  }
  // It is known to stand still: that is a figure, and no failure.
  device.feed(feed).catch(() => {})
  await sleep((feed.bytes * 1_000) / bytesPerSecond + lateMs)
  const got = await Promise.all(live.map((client) => client.settled()))
  const least = Math.min(...got.map(({ bytes }) => bytes)) - sent
  return { "p99 delay without": without, "got with": (least * 100) / feed.bytes }
}
