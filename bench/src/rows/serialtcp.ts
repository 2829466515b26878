import { freePort } from "@serialcast/testkit"
import type { Consumer } from "../rig/load.ts"
import { nowNs } from "../rig/process-usage.ts"
import type { Rig } from "../rig/rig.ts"
import type { Row } from "../row.ts"
import { expectBytes } from "./expect-bytes.ts"
import { warmUpBytes } from "./flood-speed.ts"

const tunnelBytes = 100_000_000

/** How fast one TCP connection through a cable is, with Serialcast at both of its ends. */
export const serialtcp: Row = {
  name: "serialtcp",
  what: "a TCP connection through two joined pseudo-terminals with a gateway at each (serialtcp-server, serialtcp-client): 100 MB one way, then 100 MB the other, each after 5 MB of warm-up",
  figures: [
    { name: "client to server", unit: "MB/s", isBetter: "higher", floor: 15, aim: 20 },
    { name: "server to client", unit: "MB/s", isBetter: "higher", floor: 15, aim: 20 },
  ],
  async run(rig) {
    await using load = await rig.startLoad()
    const near = await load.openDevice()
    const far = await load.openDevice()
    await near.join(far)
    const server = await load.serve()
    const port = await freePort()
    // What one end reads faster than its TCP side takes it waits in the journal, and has to stay there.
    const journalSize = "256MiB"
    const device = "local/d0"
    await using _near = await rig.startGateway({
      ports: [near.path],
      journalSize,
      tunnels: [{ type: "serialtcp-server", listen: `127.0.0.1:${port}`, device }],
    })
    await using _far = await rig.startGateway({
      ports: [far.path],
      journalSize,
      tunnels: [{ type: "serialtcp-client", connect: `127.0.0.1:${server.port}`, device }],
    })
    const accepted = server.accept(far)
    const client = await near.connect({ protocol: "raw", port, target: "-" })
    const target = await accepted
    return {
      "client to server": await speed(rig, client, target),
      "server to client": await speed(rig, target, client),
    }
  },
}

/** MB/s */
async function speed(rig: Rig, from: Consumer, to: Consumer): Promise<number> {
  const warmUp = rig.scaled(warmUpBytes)
  await Promise.all([from.send(warmUp), to.until(warmUp)])
  const bytes = rig.scaled(tunnelBytes)
  const startNs = nowNs()
  const [, { atNs }] = await Promise.all([from.send(bytes), to.until(warmUp + bytes)])
  expectBytes(await to.settled(), warmUp + bytes)
  return (bytes * 1_000) / (atNs - startNs)
}
