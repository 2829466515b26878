import { once } from "node:events"
import { createServer, type Socket } from "node:net"
import { systemClock } from "@serialcast/primitives"
import { expect, onTestFinished, test } from "vitest"
import { createMetrics } from "../admin/admin-server.ts"
import { loadConfig } from "../config/load-config.ts"
import { listen } from "../listen/listen.ts"
import { createLogger } from "../log/logger.ts"
import { connectToBroker } from "./connect-to-broker.ts"

/** The CONNECT packet that a service with this token sends to a broker whose URL names `user`. */
async function connectPacket(user: string, token: string | null): Promise<string> {
  const server = createServer()
  const { port } = await listen(server, { host: "127.0.0.1", port: 0 }, "test")
  const config = loadConfig({ env: { SERIALCAST_BROKER_URL: `mqtt://${user}127.0.0.1:${port}` } })
  const log = createLogger({ name: "test", level: "silent" })
  const deps = { log, clock: systemClock, metrics: createMetrics(), token }
  const client = connectToBroker(config, deps, { name: "reader" })
  client.start()
  const [socket] = (await once(server, "connection")) as [Socket]
  const [packet] = (await once(socket, "data")) as [Uint8Array]
  onTestFinished(async () => {
    socket.destroy()
    server.close()
    await client.close()
  })
  return Buffer.from(packet).toString("latin1")
}

/** MQTT 3.1.1 §1.5.3: a string is its length in two bytes, then its bytes. */
const field = (text: string) => `\u0000${String.fromCharCode(text.length)}${text}`

test("the user and password of the broker's URL are the log-in, decoded", async () => {
  expect(await connectPacket("me:pa%3Ass@", "the-token-of-this-gateway")).toContain(
    field("me") + field("pa:ss"),
  )
})

test("without them the access token is the password", async () => {
  const token = "the-token-of-this-gateway"
  expect(await connectPacket("", token)).toContain(field("reader") + field(token))
})

test("a password that cannot be decoded is a problem of the configuration", () => {
  const env = { SERIALCAST_BROKER_URL: "mqtt://me:%ff@broker" }
  expect(() => loadConfig({ env })).toThrow(expect.objectContaining({ code: "bad_config" }))
})
