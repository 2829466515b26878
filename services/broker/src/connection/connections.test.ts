import { once } from "node:events"
import { type Duplex, duplexPair } from "node:stream"
import { expect, test } from "vitest"
import { Connections } from "./connections.ts"

function open(count: number, maxTotalHeldBytes: number) {
  const handled: Duplex[] = []
  const connections = new Connections({
    maxHeldBytes: 1_000,
    maxTotalHeldBytes,
    maxPacketBytes: 1_000,
    handle: (connection) => handled.push(connection),
  })
  const clients = Array.from({ length: count }, () => {
    const [client, transport] = duplexPair()
    connections.accept(transport, { kind: "network", address: "10.0.0.1" })
    return client
  })
  const write = (index: number, bytes: number) => handled[index]!.write(new Uint8Array(bytes))
  const areCut = () => handled.map(({ destroyed }) => destroyed)
  return { connections, clients, handled, write, areCut }
}

test("beyond what all clients together may leave unread, the one that left most is cut off", async () => {
  const { connections, handled, write, areCut } = open(3, 2_000)
  const cut = once(handled[1]!, "error")
  write(0, 600)
  write(1, 900)
  write(2, 500)
  expect([connections.heldBytes, areCut()]).toEqual([2_000, [false, false, false]])
  write(0, 1)
  expect([connections.heldBytes, areCut()]).toEqual([1_101, [false, true, false]])
  expect((await cut)[0]).toMatchObject({
    code: "slow_client",
    message: expect.stringContaining("2001 bytes"),
  })
})

test("what clients have read or what was cut off no longer counts", async () => {
  const { connections, clients, handled, write } = open(2, 2_000)
  write(0, 900)
  write(0, 50)
  write(1, 900)
  handled[1]!.destroy()
  expect(connections.heldBytes).toBe(950)
  const ended = once(clients[0]!, "end")
  handled[0]!.end()
  clients[0]!.resume()
  await ended
  expect(connections.heldBytes).toBe(0)
})
