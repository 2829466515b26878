import { once } from "node:events"
import { type AddressInfo, connect, createServer, type Socket } from "node:net"

export interface FaultProxyOptions {
  readonly target: { readonly host: string; readonly port: number }
}

/** A TCP proxy on 127.0.0.1 that can be made to fail like a network: `client ⇄ proxy ⇄ target`. */
export interface FaultProxy extends AsyncDisposable {
  readonly host: string
  readonly port: number
  /** Connections that are open now. */
  readonly connections: number
  /** Destroys every connection at both ends; new ones are taken. */
  cut(): void
  /** Forwards nothing any more, in either direction; nothing is closed and new connections are taken, silently. */
  freeze(): void
  /** Forwards again, starting with what was held back. */
  thaw(): void
}

export async function createFaultProxy({ target }: FaultProxyOptions): Promise<FaultProxy> {
  const links = new Set<readonly [Socket, Socket]>()
  let isFrozen = false
  // Half-open, so that the end of one direction is forwarded like its bytes.
  const sockets = { noDelay: true, allowHalfOpen: true }
  const server = createServer(sockets, (near) => {
    const link = [near, connect({ ...target, ...sockets })] as const
    links.add(link)
    for (const socket of link) {
      const [other] = link.filter((end) => end !== socket)
      // What failed at one end fails at the other; the error itself belongs to the network that this imitates.
      socket.on("error", () => other?.destroy())
      socket.on("close", () => {
        if (other?.closed) links.delete(link)
      })
    }
    if (!isFrozen) forward(link)
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const { address, port } = server.address() as AddressInfo // A TCP server that listens has an AddressInfo.
  const cut = () => {
    for (const socket of [...links].flat()) socket.destroy()
    links.clear()
  }
  return {
    host: address,
    port,
    get connections() {
      return links.size
    },
    cut,
    freeze() {
      isFrozen = true
      for (const link of links) hold(link)
    },
    thaw() {
      isFrozen = false
      for (const link of links) forward(link)
    },
    async [Symbol.asyncDispose]() {
      cut()
      server.close()
      await once(server, "close")
    },
  }
}

function forward([near, far]: readonly [Socket, Socket]): void {
  near.pipe(far)
  far.pipe(near)
}

function hold([near, far]: readonly [Socket, Socket]): void {
  near.unpipe(far)
  far.unpipe(near)
}
