import { nowNs } from "../rig/process-usage.ts"
import { startProgram } from "../rig/program.ts"
import type { Rig } from "../rig/rig.ts"
import type { Ser2netTuning } from "../rig/ser2net.ts"
import type { Row } from "../row.ts"
import { floodBytes, floodSpeed, warmUpBytes } from "./flood-speed.ts"

/** How fast the bytes of a device that never pauses reach a client. */
export const flood: Row = {
  name: "flood",
  what: "50 MB from a device that never pauses to one WebSocket client (serialcast.v1), after 5 MB of warm-up",
  figures: [
    {
      name: "Serialcast",
      unit: "MB/s",
      isBetter: "higher",
      floor: { times: 1, of: "ser2net, tuned" },
      aim: { times: 1.3, of: "ser2net, tuned" },
      reference: "ser2net, tuned",
    },
    { name: "ser2net, tuned", unit: "MB/s", isBetter: "higher" },
    { name: "ser2net, default", unit: "MB/s", isBetter: "higher", reference: "ser2net, tuned" },
    { name: "cat of the terminal", unit: "MB/s", isBetter: "higher", reference: "ser2net, tuned" },
  ],
  async run(rig) {
    const tuned = await floodSer2net(rig, "tuned")
    const asItComes = await floodSer2net(rig, "default")
    return {
      Serialcast: await floodGateway(rig),
      ...(tuned === null ? {} : { "ser2net, tuned": tuned }),
      ...(asItComes === null ? {} : { "ser2net, default": asItComes }),
      "cat of the terminal": await floodCat(rig),
    }
  },
}

async function floodGateway(rig: Rig): Promise<number> {
  await using load = await rig.startLoad()
  const device = await load.openDevice()
  await using gateway = await rig.startGateway({ ports: [device.path] })
  return await floodSpeed(rig, device, await device.connect(gateway.webSocket(0)))
}

async function floodSer2net(rig: Rig, tuning: Ser2netTuning): Promise<number | null> {
  await using load = await rig.startLoad()
  const device = await load.openDevice()
  await using ser2net = await rig.startSer2net({ device, tuning })
  return ser2net && (await floodSpeed(rig, device, await ser2net.connect()))
}

/** What the terminal itself can do: the least program that reads it, with nobody behind. */
async function floodCat(rig: Rig): Promise<number> {
  await using load = await rig.startLoad()
  const device = await load.openDevice()
  await using _cat = await startProgram("sh", ["-c", 'exec cat "$0" > /dev/null', device.path])
  const bytes = rig.scaled(floodBytes)
  await device.feed({ bytes: rig.scaled(warmUpBytes) })
  const startNs = nowNs()
  const { atNs } = await device.feed({ bytes })
  return (bytes * 1_000) / (atNs - startNs)
}
