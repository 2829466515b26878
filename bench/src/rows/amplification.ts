import { type FolderSize, folderSize } from "../rig/folder-size.ts"
import type { Feed } from "../rig/load.ts"
import { readUsage } from "../rig/process-usage.ts"
import type { Rig } from "../rig/rig.ts"
import type { Measurement, Row } from "../row.ts"
import { uartBytesPerSecond } from "./uart.ts"

const readBytes = 16
const seconds = 60

/** What the disk gets for each byte of a device that says little at a time. */
export const amplification: Row = {
  name: "amplification",
  what: "devices that hand over 16 bytes at a time at 11.5 kB/s, and one byte a second, for 60 s: bytes to the disk, and more length of files, for each byte",
  figures: [
    { name: "11.5 kB/s: written", unit: "bytes", isBetter: "lower" },
    { name: "11.5 kB/s: kept", unit: "bytes", isBetter: "lower" },
    { name: "1 B/s: written", unit: "bytes", isBetter: "lower" },
    { name: "1 B/s: kept", unit: "bytes", isBetter: "lower" },
  ],
  async run(rig) {
    const busy = rig.scaled(seconds) * uartBytesPerSecond
    return {
      ...(await trickle(rig, "11.5 kB/s", {
        bytes: busy,
        bytesPerSecond: uartBytesPerSecond,
        chunkBytes: readBytes,
      })),
      ...(await trickle(rig, "1 B/s", { bytes: rig.scaled(seconds, 5), bytesPerSecond: 1, chunkBytes: 1 })),
    }
  },
}

async function trickle(rig: Rig, name: string, feed: Feed): Promise<Measurement> {
  await using load = await rig.startLoad()
  const device = await load.openDevice()
  await using gateway = await rig.startGateway({ ports: [device.path] })
  const measure = async (): Promise<FolderSize & { writtenBytes: number }> => ({
    ...(await folderSize(gateway.journalFolder)),
    writtenBytes: (await readUsage(gateway.pid)).diskBytes,
  })
  const before = await measure()
  await device.feed(feed)
  const after = await measure()
  return {
    [`${name}: written`]: (after.writtenBytes - before.writtenBytes) / feed.bytes,
    [`${name}: kept`]: (after.lengthBytes - before.lengthBytes) / feed.bytes,
  }
}
