import type { Row } from "../row.ts"
import { floodSpeed } from "./flood-speed.ts"
import { measureRaw } from "./raw-programs.ts"

/** How fast the bytes of a device that never pauses reach a client of a raw tunnel. */
export const rawFlood: Row = {
  name: "raw-flood",
  what: "50 MB from a device that never pauses to one raw TCP client, after 5 MB of warm-up",
  figures: [
    {
      name: "Serialcast: speed",
      unit: "MB/s",
      isBetter: "higher",
      floor: [
        { times: 5, of: "ser2net, default: speed" },
        { times: 0.5, of: "ser2net, tuned: speed" },
      ],
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
    measureRaw({ rig }, async ({ device, connect }) => ({
      speed: await floodSpeed(rig, device, await connect()),
    })),
}
