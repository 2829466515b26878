import { once } from "node:events"
import { type AddressInfo, connect, createServer, type Socket } from "node:net"
import { FakeClock } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import { ClientList } from "../clients/client-list.ts"
import { CableConnection } from "./cable-connection.ts"

const mebibyte = 1024 * 1024

/** A connection, and the other end of it, which reads nothing yet. */
async function connected(idleTimeoutMs: number | null = null) {
  const clock = new FakeClock()
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  // It is listening on TCP.
  const { port } = server.address() as AddressInfo
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true })
  socket.on("error", () => {})
  const [peer] = (await once(server, "connection")) as [Socket]
  peer.on("error", () => {})
  onTestFinished(() => {
    socket.destroy()
    peer.destroy()
    server.close()
  })
  const record = new ClientList({ clock, onChange: () => {} }).add("peer")
  return { clock, peer, connection: new CableConnection({ socket, record, clock, idleTimeoutMs }) }
}

/** Resolves when the system takes nothing more of what waits. */
async function untilFull({ socket }: CableConnection): Promise<void> {
  for (let before = -1; before !== socket.writableLength; ) {
    before = socket.writableLength
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
  }
}

test("a TCP side that does not read is given up after 20 s; until then nothing more is taken", async () => {
  const { clock, connection } = await connected()
  connection.deliver(new Uint8Array(16 * mebibyte))
  await untilFull(connection)
  let answer: string | null = null
  const asking = connection.room(new AbortController().signal).then((room) => {
    answer = room
  })
  await clock.advanceAsync(19_000)
  expect(answer).toBeNull()
  await clock.advanceAsync(2_000)
  await asking
  expect(answer).toBe("stalled")
})

test("one that reads slowly has its time, and gets everything before the end", async () => {
  const { peer, connection } = await connected()
  const bytes = 16 * mebibyte
  connection.deliver(new Uint8Array(bytes))
  await untilFull(connection)
  const asking = connection.room(new AbortController().signal)
  let got = 0
  peer.on("data", (part: Uint8Array) => {
    got += part.byteLength
  })
  peer.resume()
  expect(await asking).toBe("room")
  connection.end()
  await once(peer, "end")
  expect(got).toBe(bytes)
})

test("asking for room ends with its signal, and with the connection", async () => {
  const { connection } = await connected()
  connection.deliver(new Uint8Array(16 * mebibyte))
  await untilFull(connection)
  const leaving = new AbortController()
  const asking = connection.room(leaving.signal)
  leaving.abort()
  expect(await asking).toBe("room")
  const again = connection.room(new AbortController().signal)
  connection.reset()
  expect(await again).toBe("room")
})

test("an end after which nothing is taken is a reset after 20 s", async () => {
  const { clock, connection } = await connected()
  connection.deliver(new Uint8Array(16 * mebibyte))
  await untilFull(connection)
  connection.end()
  await clock.advanceAsync(19_900)
  expect(connection.closed.aborted).toBe(false)
  await clock.advanceAsync(200)
  await new Promise(setImmediate)
  expect(connection.socket.destroyed).toBe(true)
})

test("nothing that moves for as long as the time-out makes it idle; bytes either way do not", async () => {
  const { clock, connection } = await connected(1_000)
  let idle = 0
  connection.watch({ isBusy: () => false, onIdle: () => idle++ })
  clock.advance(900)
  connection.deliver(Uint8Array.of(1))
  clock.advance(900)
  connection.moved()
  clock.advance(999)
  expect(idle).toBe(0)
  clock.advance(1)
  expect(idle).toBe(1)
})
