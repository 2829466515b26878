import { nowNs } from "../rig/process-usage.ts"
import type { Row } from "../row.ts"
import { expectBytes } from "./expect-bytes.ts"
import { floodBytes, warmUpBytes } from "./flood-speed.ts"
import { measureRaw } from "./raw-programs.ts"

/** How fast the bytes of a raw tunnel's client reach a device that takes all at once. */
export const rawToDevice: Row = {
  name: "raw-to-device",
  what: "50 MB from one raw TCP client that never pauses to the device, which checks each byte, after 5 MB of warm-up; and 150 MB more, when the engine has compiled what is run",
  figures: [
    {
      name: "Serialcast: speed",
      unit: "MB/s",
      isBetter: "higher",
      floor: { times: 0.7, of: "ser2net, tuned: speed" },
      aim: { times: 1, of: "ser2net, tuned: speed" },
      reference: "ser2net, tuned: speed",
    },
    {
      name: "Serialcast: later",
      unit: "MB/s",
      isBetter: "higher",
      reference: "ser2net, tuned: later",
    },
    { name: "ser2net, tuned: speed", unit: "MB/s", isBetter: "higher" },
    { name: "ser2net, tuned: later", unit: "MB/s", isBetter: "higher" },
    {
      name: "ser2net, default: speed",
      unit: "MB/s",
      isBetter: "higher",
      reference: "ser2net, tuned: speed",
    },
    {
      name: "ser2net, default: later",
      unit: "MB/s",
      isBetter: "higher",
      reference: "ser2net, tuned: later",
    },
  ],
  run: (rig) =>
    measureRaw({ rig }, async ({ device, connect }) => {
      const client = await connect()
      let sent = 0
      const send = async (bytes: number): Promise<number> => {
        const startNs = nowNs()
        sent += bytes
        const [, { atNs }] = await Promise.all([client.send(bytes), device.received(sent)])
        return (bytes * 1_000) / (atNs - startNs)
      }
      await send(rig.scaled(warmUpBytes))
      const speed = await send(rig.scaled(floodBytes))
      const later = await send(3 * rig.scaled(floodBytes))
      expectBytes(await device.receivedInAll(), sent)
      return { speed, later }
    }),
}
