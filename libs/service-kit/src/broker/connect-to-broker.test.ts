import { once } from "node:events"
import { createServer, type Socket } from "node:net"
import { systemClock } from "@serialcast/primitives"
import { expect, onTestFinished, test } from "vitest"
import { brokerPassword } from "../access/token.ts"
import { createMetrics } from "../admin/admin-server.ts"
import { loadConfig } from "../config/load-config.ts"
import { listen } from "../listen/listen.ts"
import { createLogger } from "../log/logger.ts"
import { connectToBroker } from "./connect-to-broker.ts"

/** The CONNECT packet that a service with this token sends to a broker; `env` names it by its port. */
async function connectPacket(
  env: (port: number) => Readonly<Record<string, string>>,
  token: string | null,
): Promise<string> {
  const server = createServer()
  const { port } = await listen(server, { host: "127.0.0.1", port: 0 }, "test")
  const config = loadConfig({ env: env(port) })
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

const elsewhere = (user: string) => (port: number) => ({
  SERIALCAST_BROKER_URL: `mqtt://${user}127.0.0.1:${port}`,
})
const token = "the-token-of-this-gateway"

/** MQTT 3.1.1 §1.5.3: a string is its length in two bytes, then its bytes. */
const field = (text: string) => `\u0000${String.fromCharCode(text.length)}${text}`

test("the user and password of the broker's URL are the log-in, decoded", async () => {
  expect(await connectPacket(elsewhere("me:pa%3Ass@"), token)).toContain(field("me") + field("pa:ss"))
  expect(await connectPacket(elsewhere(":pass@"), token)).toContain(field("reader") + field("pass"))
})

test("a broker elsewhere gets nothing that its URL does not say", async () => {
  const packet = await connectPacket(elsewhere(""), token)
  expect(packet).not.toContain(token)
  expect(packet).not.toContain(brokerPassword(token, "reader"))
})

test("to the gateway's own broker a service says a password that is not the token, under its name", async () => {
  const own = (port: number) => ({ SERIALCAST_BROKER_LISTEN: `127.0.0.1:${port}` })
  const named = (port: number) => ({
    SERIALCAST_BROKER_LISTEN: `0.0.0.0:${port}`,
    SERIALCAST_BROKER_HOST: "localhost",
    SERIALCAST_ACCESS: "open",
  })
  for (const env of [own, named]) {
    const packet = await connectPacket(env, token)
    expect(packet).toContain(field("reader") + field(brokerPassword(token, "reader")))
    expect(packet).not.toContain(token)
  }
})

test("a password that cannot be decoded is a problem of the configuration", () => {
  const env = { SERIALCAST_BROKER_URL: "mqtt://me:%ff@broker" }
  expect(() => loadConfig({ env })).toThrow(expect.objectContaining({ code: "bad_config" }))
})
