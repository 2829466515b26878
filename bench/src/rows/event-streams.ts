import { coresBetween, readUsage } from "../rig/process-usage.ts"
import type { Row } from "../row.ts"
import { uartBytesPerSecond, usbPacketBytes } from "./uart.ts"

const consumers = 1_000
const seconds = 20
const warmUpSeconds = 2

/** How far the streams of very many clients are behind a device. */
export const eventStreams: Row = {
  name: "sse",
  what: "1,000 server-sent event streams of one device at 11.5 kB/s in packets of 64 bytes, 20 s after 2 s: every byte of each checked, the delay of each read",
  figures: [
    { name: "p50 delay", unit: "ms", isBetter: "lower" },
    { name: "p99 delay", unit: "ms", isBetter: "lower", floor: 500, aim: 100 },
    { name: "processor", unit: "cores", isBetter: "lower" },
  ],
  async run(rig) {
    await using load = await rig.startLoad()
    const device = await load.openDevice()
    await using gateway = await rig.startGateway({ ports: [device.path] })
    const streams = await Promise.all(
      Array.from({ length: rig.scaled(consumers) }, () => device.connect(gateway.events(0))),
    )
    let sent = 0
    const run = async (duration: number) => {
      const bytes = rig.scaled(duration) * uartBytesPerSecond
      sent += bytes
      await device.feed({ bytes, bytesPerSecond: uartBytesPerSecond, chunkBytes: usbPacketBytes })
      await Promise.all(streams.map((stream) => stream.until(sent)))
    }
    await run(warmUpSeconds)
    await load.takeDelays()
    const before = await readUsage(gateway.pid)
    await run(seconds)
    const after = await readUsage(gateway.pid)
    const { p50Us, p99Us } = await load.takeDelays()
    return {
      "p50 delay": p50Us / 1_000,
      "p99 delay": p99Us / 1_000,
      processor: coresBetween(before, after),
    }
  },
}
