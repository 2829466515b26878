import type { LoadDevice } from "../rig/load.ts"
import { coresBetween, readUsage } from "../rig/process-usage.ts"
import type { Row } from "../row.ts"
import { uartBytesPerSecond, usbPacketBytes } from "./uart.ts"

const count = 64
const seconds = 20

/** What a box full of busy devices costs. */
export const manyDevices: Row = {
  name: "devices",
  what: "64 devices at 11.5 kB/s each in packets of 64 bytes, one WebSocket client on each, for 20 s: every byte checked",
  figures: [
    { name: "processor", unit: "cores", isBetter: "lower", floor: 0.6, aim: 0.35 },
    { name: "p99 delay", unit: "ms", isBetter: "lower", floor: 40 },
    { name: "memory", unit: "MB", isBetter: "lower", floor: 300 },
  ],
  async run(rig) {
    await using load = await rig.startLoad()
    const devices: LoadDevice[] = []
    for (let number = 0; number < rig.scaled(count); number++) devices.push(await load.openDevice())
    await using gateway = await rig.startGateway({ ports: devices.map(({ path }) => path) })
    const clients = await Promise.all(
      devices.map((device, number) => device.connect(gateway.webSocket(number))),
    )
    const bytes = rig.scaled(seconds) * uartBytesPerSecond
    const before = await readUsage(gateway.pid)
    await Promise.all([
      ...devices.map((device) =>
        device.feed({ bytes, bytesPerSecond: uartBytesPerSecond, chunkBytes: usbPacketBytes }),
      ),
      ...clients.map((client) => client.until(bytes)),
    ])
    const after = await readUsage(gateway.pid)
    const { p99Us } = await load.takeDelays()
    return {
      processor: coresBetween(before, after),
      "p99 delay": p99Us / 1_000,
      memory: after.residentBytes / 1e6,
    }
  },
}
