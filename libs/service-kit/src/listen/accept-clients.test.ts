import { once } from "node:events"
import { connect, type Socket } from "node:net"
import { networkInterfaces } from "node:os"
import { eventually } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import { acceptClients } from "./accept-clients.ts"

/** An address of this machine that is no loopback: connections to it stay inside, and come from it. */
const outer = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ family, internal }) => family === "IPv4" && !internal)?.address

async function accept(limits: { readonly maxClients: number; readonly maxOfAddress?: number }) {
  const served = new Set<Socket>()
  const refused: string[] = []
  const acceptor = await acceptClients(
    { listen: { host: "0.0.0.0", port: 0 }, allow: null, what: "test", ...limits },
    {
      async serve(socket) {
        served.add(socket)
        await new Promise((resolve) => socket.resume().once("close", resolve))
        served.delete(socket)
      },
      onRefused: (_socket, why) => refused.push(why),
    },
  )
  onTestFinished(async () => {
    for (const socket of served) socket.destroy()
    await acceptor.close()
  })
  const knock = async (host: string) => {
    const socket = connect({ host, port: acceptor.address.port })
    socket.on("error", () => {})
    onTestFinished(() => void socket.destroy())
    await once(socket, "connect")
    return socket
  }
  return { served, refused, knock }
}

test.runIf(outer !== undefined)(
  "one address has its share of the places, and leaves the others to others; this machine's own has all",
  async () => {
    const { served, refused, knock } = await accept({ maxClients: 5, maxOfAddress: 2 })
    const host = outer ?? ""
    const [first] = [await knock(host), await knock(host), await knock(host)]
    await eventually(() => expect([served.size, refused]).toEqual([2, ["share"]]))
    for (let n = 0; n < 4; n++) await knock("127.0.0.1")
    await eventually(() => expect([served.size, refused]).toEqual([5, ["share", "full"]]))
    first.resetAndDestroy()
    await eventually(() => expect(served.size).toBe(4))
    await knock(host)
    await eventually(() => expect([served.size, refused]).toEqual([5, ["share", "full"]]))
  },
)
