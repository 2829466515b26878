import { once } from "node:events"
import { type AddressInfo, createServer, type Socket } from "node:net"
import { Flash, TestBoard } from "@serialcast/ports/testing"

/** A board behind a `tcp://` port: it outlives agents, its cable can be pulled and its power lost. */
export interface PluggedBoard extends AsyncDisposable {
  readonly port: number
  /** The file as it is in the flash; null: there is none. */
  file(name: string): Uint8Array | null
  /** The names of all files and folders. */
  names(): readonly string[]
  /** The end of what it said, as Latin-1. */
  lastWords(): string
  /** The cable is pulled; the board goes on. */
  unplug(): void
  plug(): void
  /** It is off for a moment; what was in its flash is there again. */
  losePower(): Promise<void>
}

const keptWords = 256

export async function startPluggedBoard(): Promise<PluggedBoard> {
  const flash = new Flash()
  let cable: Socket | null = null
  let isPlugged = true
  let words = ""
  const say = async (from: TestBoard) => {
    for (;;) {
      const bytes = await from.read()
      words = (words + Buffer.from(bytes).toString("latin1")).slice(-keptWords)
      cable?.write(bytes)
    }
  }
  const switchOn = async () => {
    const started = await TestBoard.start({ flash })
    void say(started)
    return started
  }
  let board = await switchOn()
  const server = createServer((socket) => {
    if (!isPlugged) return socket.destroy()
    cable?.destroy()
    cable = socket
    socket.on("error", () => {})
    socket.on("data", (bytes: Uint8Array) => void board.write(bytes))
    socket.on("close", () => {
      if (cable === socket) cable = null
    })
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const entries = () => [...flash.changes()].filter((change) => change.kind === "put")
  return {
    port: (server.address() as AddressInfo).port,
    file: (name) => entries().find(({ path }) => path === `/${name}`)?.bytes ?? null,
    names: () => entries().map(({ path }) => path.slice(1)),
    lastWords: () => words,
    unplug() {
      isPlugged = false
      cable?.destroy()
    },
    plug() {
      isPlugged = true
    },
    async losePower() {
      await board.close()
      board = await switchOn()
    },
    async [Symbol.asyncDispose]() {
      cable?.destroy()
      server.close()
      await board.close()
    },
  }
}
