import { setTimeout as sleep } from "node:timers/promises"
import { folderSize } from "../rig/folder-size.ts"
import { nowNs } from "../rig/process-usage.ts"
import type { Row } from "../row.ts"

const pushedBytes = 10_000_000_000
const everyMs = 100

/** Whether the journal stays within its size, however much goes through it. */
export const diskBounds: Row = {
  name: "disk",
  what: "10 GB through a journal of 64 MiB; the size of its folder, ten times a second",
  isLong: true,
  figures: [
    { name: "greatest size", unit: "MiB", isBetter: "lower", floor: 64 },
    { name: "kept", unit: "MB/s", isBetter: "higher" },
  ],
  async run(rig) {
    await using load = await rig.startLoad()
    const device = await load.openDevice()
    await using gateway = await rig.startGateway({ ports: [device.path], journalSize: "64MiB" })
    const bytes = rig.scaled(pushedBytes)
    const startNs = nowNs()
    const fed = device.feed({ bytes })
    const done = new AbortController()
    const watched = greatestSize(gateway.journalFolder, done.signal)
    const { atNs } = await fed.finally(() => done.abort())
    return { "greatest size": (await watched) / 1024 ** 2, kept: (bytes * 1_000) / (atNs - startNs) }
  },
}

/** Length or place on the disk, whichever is more, in bytes. */
async function greatestSize(folder: string, until: AbortSignal): Promise<number> {
  let greatest = 0
  while (!until.aborted) {
    const { lengthBytes, diskBytes } = await folderSize(folder)
    greatest = Math.max(greatest, lengthBytes, diskBytes)
    await sleep(everyMs)
  }
  return greatest
}
