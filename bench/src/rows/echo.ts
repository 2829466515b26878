import type { Rig } from "../rig/rig.ts"
import type { Ser2netTuning } from "../rig/ser2net.ts"
import type { Figure, Measurement, Row } from "../row.ts"
import { named } from "./named.ts"
import { roundTrips } from "./round-trips.ts"

/** How long a client waits for the answer to what it writes, when the device answers at once. */
export const echo: Row = {
  name: "echo",
  what: "16 bytes written by a client, sent back by the device, and here again: 2,000 times, 5 ms apart, after 200",
  figures: [
    ...figures("Serialcast", {
      p50: {
        floor: { times: 4, of: "ser2net, tuned: p50" },
        aim: { times: 2.5, of: "ser2net, tuned: p50" },
      },
      p99: { floor: 4, aim: 2 },
    }),
    ...figures("ser2net, tuned"),
    ...figures("ser2net, default"),
  ],
  async run(rig) {
    return {
      ...(await echoGateway(rig)),
      ...(await echoSer2net(rig, "tuned")),
      ...(await echoSer2net(rig, "default")),
    }
  },
}

type Limits = Readonly<Record<"p50" | "p99", Pick<Figure, "floor" | "aim">>>

function figures(program: string, limits?: Limits): Figure[] {
  return (["p50", "p99"] as const).map((part) => ({
    name: `${program}: ${part}`,
    unit: "ms",
    isBetter: "lower",
    reference: `ser2net, tuned: ${part}`,
    ...limits?.[part],
  }))
}

async function echoGateway(rig: Rig): Promise<Measurement> {
  await using load = await rig.startLoad()
  const device = await load.openDevice()
  await device.echoBack()
  await using gateway = await rig.startGateway({ ports: [device.path] })
  return named("Serialcast", await roundTrips(rig, load, await device.connect(gateway.webSocket(0))))
}

async function echoSer2net(rig: Rig, tuning: Ser2netTuning): Promise<Measurement> {
  await using load = await rig.startLoad()
  const device = await load.openDevice()
  await device.echoBack()
  await using ser2net = await rig.startSer2net({ device, tuning })
  if (ser2net === null) return {}
  return named(`ser2net, ${tuning}`, await roundTrips(rig, load, await ser2net.connect()))
}
