import { nowNs } from "../rig/process-usage.ts"
import type { Row } from "../row.ts"
import { expectBytes } from "./expect-bytes.ts"
import { floodBytes, warmUpBytes } from "./flood-speed.ts"
import { measureRaw } from "./raw-programs.ts"

/** How fast the bytes of a raw tunnel's client reach a device that takes all at once. */
export const rawToDevice: Row = {
  name: "raw-to-device",
  what: "50 MB from one raw TCP client that never pauses to the device, which checks each byte, after 5 MB of warm-up",
  figures: [
    {
      name: "Serialcast: speed",
      unit: "MB/s",
      isBetter: "higher",
      floor: { times: 0.7, of: "ser2net, tuned: speed" },
      aim: { times: 1, of: "ser2net, tuned: speed" },
      reference: "ser2net, tuned: speed",
    },
    { name: "ser2net, tuned: speed", unit: "MB/s", isBetter: "higher" },
    {
      name: "ser2net, default: speed",
      unit: "MB/s",
      isBetter: "higher",
      reference: "ser2net, tuned: speed",
    },
  ],
  run: (rig) =>
    measureRaw({ rig }, async ({ device, connect }) => {
      const client = await connect()
      const warmUp = rig.scaled(warmUpBytes)
      await Promise.all([client.send(warmUp), device.received(warmUp)])
      const bytes = rig.scaled(floodBytes)
      const startNs = nowNs()
      const [, { atNs }] = await Promise.all([client.send(bytes), device.received(warmUp + bytes)])
      expectBytes(await device.receivedInAll(), warmUp + bytes)
      return { speed: (bytes * 1_000) / (atNs - startNs) }
    }),
}
