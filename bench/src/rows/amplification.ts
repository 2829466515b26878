import { type FolderSize, folderSize } from "../rig/folder-size.ts"
import type { Feed } from "../rig/load.ts"
import { readUsage } from "../rig/process-usage.ts"
import type { Rig } from "../rig/rig.ts"
import type { Measurement, Row } from "../row.ts"
import { uartBytesPerSecond } from "./uart.ts"

const readBytes = 16
const seconds = 60
// What a device says little at a time is gathered for 55 s: the first of it, which makes files, and then four times.
const trickleStartSeconds = 60
const trickleSeconds = 220

/** What the disk gets for each byte of a device that says little at a time. */
export const amplification: Row = {
  name: "amplification",
  what: "devices that hand over 16 bytes at a time at 11.5 kB/s, for 60 s, and one byte a second for 220 s: bytes to the disk, and more length of files, for each byte",
  figures: [
    { name: "11.5 kB/s: written", unit: "bytes", isBetter: "lower" },
    { name: "11.5 kB/s: kept", unit: "bytes", isBetter: "lower" },
    { name: "1 B/s: written", unit: "bytes", isBetter: "lower", floor: 300, aim: 100 },
    { name: "1 B/s: kept", unit: "bytes", isBetter: "lower" },
  ],
  async run(rig) {
    const busy = { bytesPerSecond: uartBytesPerSecond, chunkBytes: readBytes }
    const slow = { bytesPerSecond: 1, chunkBytes: 1 }
    const first = rig.scaled(trickleStartSeconds, 5)
    return {
      ...(await trickle(rig, "11.5 kB/s", busy, {
        first: 0,
        bytes: rig.scaled(seconds) * uartBytesPerSecond,
      })),
      ...(await trickle(rig, "1 B/s", slow, { first, bytes: rig.scaled(trickleSeconds, 5) })),
    }
  },
}

interface Amount {
  /** Before it is measured. */
  readonly first: number
  readonly bytes: number
}

async function trickle(
  rig: Rig,
  name: string,
  pace: Omit<Feed, "bytes">,
  { first, bytes }: Amount,
): Promise<Measurement> {
  await using load = await rig.startLoad()
  const device = await load.openDevice()
  await using gateway = await rig.startGateway({ ports: [device.path] })
  const measure = async (): Promise<FolderSize & { writtenBytes: number }> => ({
    ...(await folderSize(gateway.journalFolder)),
    writtenBytes: (await readUsage(gateway.pid)).diskBytes,
  })
  if (first > 0) await device.feed({ ...pace, bytes: first })
  const before = await measure()
  await device.feed({ ...pace, bytes })
  const after = await measure()
  return {
    [`${name}: written`]: (after.writtenBytes - before.writtenBytes) / bytes,
    [`${name}: kept`]: (after.lengthBytes - before.lengthBytes) / bytes,
  }
}
