import type { Row } from "../row.ts"
import { measureRaw } from "./raw-programs.ts"
import { roundTrips } from "./round-trips.ts"

/** How long a client of a raw tunnel waits for the answer to what it writes, when the device answers at once. */
export const rawEcho: Row = {
  name: "raw-echo",
  what: "16 bytes written by a raw TCP client, sent back by the device, and here again: 2,000 times, 5 ms apart, after 200; and as often with each write right behind the answer before",
  figures: [
    {
      name: "Serialcast: p50",
      unit: "ms",
      isBetter: "lower",
      floor: { times: 3, of: "ser2net, tuned: p50" },
      aim: { times: 2, of: "ser2net, tuned: p50" },
      reference: "ser2net, tuned: p50",
    },
    { name: "Serialcast: p99", unit: "ms", isBetter: "lower", reference: "ser2net, tuned: p99" },
    {
      name: "Serialcast: back to back p50",
      unit: "ms",
      isBetter: "lower",
      reference: "ser2net, tuned: back to back p50",
    },
    { name: "ser2net, tuned: p50", unit: "ms", isBetter: "lower" },
    { name: "ser2net, tuned: p99", unit: "ms", isBetter: "lower" },
    { name: "ser2net, tuned: back to back p50", unit: "ms", isBetter: "lower" },
    { name: "ser2net, default: p50", unit: "ms", isBetter: "lower", reference: "ser2net, tuned: p50" },
    { name: "ser2net, default: p99", unit: "ms", isBetter: "lower", reference: "ser2net, tuned: p99" },
    {
      name: "ser2net, default: back to back p50",
      unit: "ms",
      isBetter: "lower",
      reference: "ser2net, tuned: back to back p50",
    },
  ],
  run: (rig) =>
    measureRaw({ rig }, async ({ load, device, connect }) => {
      await device.echoBack()
      const client = await connect()
      const apart = await roundTrips(rig, load, client)
      const backToBack = await roundTrips(rig, load, client, { pauseMs: 0 })
      return { ...apart, "back to back p50": backToBack.p50 }
    }),
}
