import { createLogger } from "@serialcast/service-kit"
import { FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { ClientLog } from "./client-log.ts"

function setUp() {
  const clock = new FakeClock()
  const lines: unknown[] = []
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) }
  const log = createLogger({ name: "test", level: "info", pretty: false, destination })
  return { clock, lines, log, clients: new ClientLog(clock) }
}

const none = { fromClient: 0, toClient: 0, refusedBytes: 0 }
const lost = { ...none, refusedBytes: 7 }

test("who is cut off and comes again, and again, is a line a minute for each address and reason", () => {
  const { clock, lines, log, clients } = setUp()
  for (let n = 0; n < 100; n++)
    for (const address of ["10.0.0.1", "10.0.0.2"])
      clients.left({ log, address, reason: "the device was unplugged", bytes: lost })
  clients.refused({ log, address: "10.0.0.1", reason: "it has its 32 clients" })
  clock.advance(60_000)
  clients.left({ log, address: "10.0.0.1", reason: "the device was unplugged", bytes: lost })
  expect(lines).toMatchObject([
    { msg: "a client was disconnected", reason: "the device was unplugged", refusedBytes: 7 },
    { msg: "a client was disconnected", reason: "the device was unplugged", refusedBytes: 7 },
    { msg: "a client was refused", reason: "it has its 32 clients" },
    { msg: "a client was disconnected", untold: 99 },
  ])
})

test("who leaves by itself is no news, unless bytes of it were not written", () => {
  const { lines, log, clients } = setUp()
  for (const bytes of [none, lost]) clients.left({ log, address: "10.0.0.1", reason: null, bytes })
  expect(lines).toMatchObject([{ msg: "a client left", refusedBytes: 7 }])
})
