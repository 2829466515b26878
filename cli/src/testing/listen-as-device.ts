import { once } from "node:events"
import { type AddressInfo, createServer, type Socket } from "node:net"
import { eventually } from "@serialcast/testkit"

/** A device behind a `tcp://` port that can go away and come back. */
export interface NetworkDevice extends AsyncDisposable {
  readonly port: number
  /** Waits until all that was sent to it so far is `text`. */
  received(text: string): Promise<void>
  goAway(): Promise<void>
  comeBack(): Promise<void>
}

export async function listenAsDevice(): Promise<NetworkDevice> {
  const sockets = new Set<Socket>()
  let text = ""
  const create = () =>
    createServer((socket) => {
      sockets.add(socket)
      socket.setEncoding("latin1").on("data", (part: string) => {
        text += part
      })
      // Whoever reads the port may end it in any way.
      socket.on("error", () => {}).on("close", () => sockets.delete(socket))
    })
  let server = create().listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as AddressInfo
  const goAway = async () => {
    if (!server.listening) return
    server.close()
    for (const socket of sockets) socket.destroy()
    await once(server, "close")
  }
  return {
    port,
    received: (wanted) =>
      eventually(() => {
        if (text !== wanted)
          throw new Error(`expected ${JSON.stringify(wanted)}, found ${JSON.stringify(text)}`)
      }),
    goAway,
    async comeBack() {
      server = create().listen(port, "127.0.0.1")
      await once(server, "listening")
    },
    [Symbol.asyncDispose]: goAway,
  }
}
