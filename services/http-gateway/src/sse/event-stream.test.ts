import { once } from "node:events"
import { createServer, type ServerResponse } from "node:http"
import { type AddressInfo, connect, type Socket } from "node:net"
import { LoopTurns } from "@serialcast/primitives"
import { FakeClock } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import { closeSignal } from "../close-signal.ts"
import { type EventStream, startEventStream } from "./event-stream.ts"

/** A stream over a real socket whose client has read the head and nothing since. */
async function start(): Promise<{
  events: EventStream
  signal: AbortSignal
  response: ServerResponse
  client: Socket
  clock: FakeClock
}> {
  const clock = new FakeClock()
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1")
  client.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
  const [, response] = await once(server, "request")
  response.writeHead(200, { "Content-Type": "text/event-stream" })
  const signal = closeSignal(response, new AbortController().signal)
  const events = startEventStream(response, { clock, signal, turns: new LoopTurns() })
  onTestFinished(() => {
    client.destroy()
    server.close()
  })
  return { events, signal, response, client, clock }
}

/** More than the client's and the system's buffers take. */
const large = { event: "bytes", data: "x".repeat(32 * 1024 * 1024) }

test("of newest events that a frozen client does not take, one is kept, and given when it reads again", async () => {
  const { events, response, client } = await start()
  const blocked = events.send([large])
  for (let count = 0; count < 10_000; count++) events.sendNewest({ event: "state", data: `${count}` })
  expect(response.writableLength).toBeLessThan(large.data.length + 1_000)
  let text = ""
  client.setEncoding("latin1").on("data", (part: string) => {
    text = (text + part).slice(-1_000)
  })
  await blocked
  await expect.poll(() => text).toContain("event: state\ndata: 9999\n\n")
  expect(text).not.toContain("data: 9998")
})

test("a client that takes nothing for five minutes is cut off", async () => {
  const { events, signal, response, clock } = await start()
  const blocked = events.send([large])
  clock.advance(299_999)
  expect(response.destroyed).toBe(false)
  clock.advance(1)
  await blocked
  expect(signal.aborted).toBe(true)
})

test("an idle stream shows that it lives every 15 s, and stops when the client goes", async () => {
  const { signal, client, clock } = await start()
  let text = ""
  client.setEncoding("latin1").on("data", (part: string) => (text += part))
  clock.advance(15_000)
  clock.advance(15_000)
  await expect.poll(() => text.split(": still here").length).toBe(3)
  client.destroy()
  await once(signal, "abort")
  expect(clock.pendingTimers).toBe(0)
})
