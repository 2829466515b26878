import { once } from "node:events"
import { connect, createServer, type Socket } from "node:net"
import { networkInterfaces } from "node:os"
import { eventually } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import { endsOf, parseTcpTable, readUnanswered } from "./tcp-table.ts"

// Lines of a machine whose clients lost their power 30 s before, shortened at their end.
const table = `
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1B58 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1
   1: 01004D0A:1B58 02004D0A:E57A 01 00000016:00000000 01:00000421 0000000A     0        0 4712 3
   2: 01004D0A:1B58 02004D0A:E57C 01 00097A88:00000000 04:0000026D 00000000     0       12 4713 4
   3: 01004D0A:1B58 02004D0A:E56E 01 00000000:00000000 02:00000018 00000000     0        8 4714 2
`

test("of connections with bytes on their way it is known how often these were sent again, or probes of a full one went out", () => {
  expect(parseTcpTable(table)).toEqual([
    ["01004D0A:1B58 02004D0A:E57A", { bytes: 22, unanswered: 10 }],
    ["01004D0A:1B58 02004D0A:E57C", { bytes: 621_192, unanswered: 12 }],
  ])
})

test("what is no table has no connections", () => {
  expect(parseTcpTable("")).toEqual([])
  expect(parseTcpTable("<html>\nsome other text of more than two words, with eight: 1 2 3\n")).toEqual([])
})

const hasIpv6 = networkInterfaces()["lo"]?.some(({ address }) => address === "::1") ?? false
const families = [
  ["127.0.0.1", "127.0.0.1"],
  ...(hasIpv6
    ? [
        ["::1", "::1"],
        ["::", "127.0.0.1"],
      ]
    : []),
]

test.each(families)(
  "a connection to a listener on %s, from %s, is found in the system's table while bytes are on their way",
  async (listened, host) => {
    const { served } = await connectPair(listened, host)
    const ends = endsOf(served)!
    expect((await readUnanswered())?.has(ends)).toBe(false)
    // More than the system takes for a client that does not read.
    served.write(new Uint8Array(32 * 1024 * 1024))
    await eventually(async () => expect((await readUnanswered())?.has(ends)).toBe(true))
    served.destroy()
    expect(endsOf(served)).toBeNull()
  },
)

async function connectPair(listened = "", host = ""): Promise<{ client: Socket; served: Socket }> {
  const server = createServer().listen(0, listened)
  await once(server, "listening")
  const address = server.address()
  const client = connect({ host, port: typeof address === "object" ? (address?.port ?? 0) : 0 })
  client.on("error", () => {})
  const [served] = await once(server, "connection")
  served.on("error", () => {})
  onTestFinished(() => {
    client.destroy()
    served.destroy()
    server.close()
  })
  return { client, served }
}
