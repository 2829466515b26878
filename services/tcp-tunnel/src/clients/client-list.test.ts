import { FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { ClientList } from "./client-list.ts"

function createList() {
  let changes = 0
  const list = new ClientList({ clock: new FakeClock(0), onChange: () => changes++ })
  return { list, changes: () => changes }
}

test("each client has counters of its own, and the totals keep those of clients that left", () => {
  const { list } = createList()
  const first = list.add("10.0.0.7:1000")
  const second = list.add("[fd00::1]:2000")
  first.countFromClient(3)
  first.countToClient(50)
  second.countRefused(7)
  list.remove(second)
  list.countRefused()
  expect(list.toReport()).toEqual({
    clientCount: 1,
    clients: [
      {
        peer: "10.0.0.7:1000",
        since: "1970-01-01T00:00:00.000Z",
        bytes: { fromClient: 3, toClient: 50 },
        refusedBytes: 0,
        hasControl: false,
      },
    ],
    totals: { clients: 2, refusedClients: 1, fromClients: 3, toClients: 50, refusedBytes: 7 },
  })
})

test("clients that come, leave or are refused are changes, bytes are none", () => {
  const { list, changes } = createList()
  const client = list.add("10.0.0.7:1000")
  client.countToClient(1)
  expect(changes()).toBe(1)
  list.countRefused()
  list.remove(client)
  list.remove(client)
  expect(changes()).toBe(3)
})
