import { once } from "node:events"
import { type AddressInfo, connect, createServer, type Socket } from "node:net"
import { expect, onTestFinished, test } from "vitest"
import { endingOf } from "./tcp-ending.ts"

test("an end is told from a reset that comes right behind data", async () => {
  for (const how of ["fin", "reset"] as const) {
    for (let round = 0; round < 20; round += 1) {
      const { server, client } = await connectPair()
      const seen = endingOf(client.resume())
      server.write("data", () => (how === "fin" ? server.end() : server.resetAndDestroy()))
      expect(await seen).toBe(how)
      client.destroy()
      server.destroy()
    }
  }
})

async function connectPair(): Promise<{ readonly server: Socket; readonly client: Socket }> {
  const listener = createServer().listen(0, "127.0.0.1")
  await once(listener, "listening")
  onTestFinished(() => void listener.close())
  const client = connect({ port: (listener.address() as AddressInfo).port, host: "127.0.0.1" })
  const [[server]] = await Promise.all([once(listener, "connection"), once(client, "connect")])
  listener.close()
  return { server, client }
}
