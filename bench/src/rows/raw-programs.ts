import { freePort } from "@serialcast/testkit"
import type { Consumer, Load, LoadDevice } from "../rig/load.ts"
import type { Rig } from "../rig/rig.ts"
import type { Measurement } from "../row.ts"
import { named } from "./named.ts"

const rawPrograms = ["Serialcast", "ser2net, tuned", "ser2net, default"] as const
export type RawProgram = (typeof rawPrograms)[number]

/** One program that serves one device as raw TCP. */
export interface RawServer {
  readonly load: Load
  readonly device: LoadDevice
  /** A client that gets every byte that the device sends from now on. */
  readonly connect: () => Promise<Consumer>
}

interface RawOptions {
  readonly rig: Rig
  readonly maxClients?: number
}

/** Measures each program that there is, with a device of its own. */
export async function measureRaw(
  options: RawOptions,
  measure: (server: RawServer, program: RawProgram) => Promise<Measurement>,
): Promise<Measurement> {
  const measured: Measurement[] = []
  for (const program of rawPrograms)
    measured.push(named(program, await measureOne(program, options, measure)))
  return Object.assign({}, ...measured)
}

async function measureOne(
  program: RawProgram,
  { rig, maxClients = 1 }: RawOptions,
  measure: (server: RawServer, program: RawProgram) => Promise<Measurement>,
): Promise<Measurement> {
  await using load = await rig.startLoad()
  const device = await load.openDevice()
  if (program === "Serialcast") {
    const port = await freePort()
    await using _gateway = await rig.startGateway({
      ports: [device.path],
      tunnels: [
        {
          type: "raw",
          listen: `127.0.0.1:${port}`,
          device: "local/d0",
          maxClients,
          // Raw TCP does not say when a client is being served: so it does not matter.
          replay: "64KiB",
        },
      ],
    })
    const connect = () => device.connect({ protocol: "raw", port, target: "-" })
    return await measure({ load, device, connect }, program)
  }
  const tuning = program === "ser2net, tuned" ? "tuned" : "default"
  await using ser2net = await rig.startSer2net({ device, tuning, maxClients })
  return ser2net === null ? {} : await measure({ load, device, connect: ser2net.connect }, program)
}
