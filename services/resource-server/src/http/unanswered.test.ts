import { once } from "node:events"
import { createServer, type ServerResponse } from "node:http"
import { type AddressInfo, connect } from "node:net"
import { eventually } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import { Unanswered } from "./unanswered.ts"

test("so many requests of a connection may wait, and more once some are answered", async () => {
  const unanswered = new Unanswered()
  const waiting: ServerResponse[] = []
  const server = createServer((request, response) => {
    if (unanswered.take(request, response)) waiting.push(response)
    else request.socket.destroy()
  })
  await once(server.listen(0, "127.0.0.1"), "listening")
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1").resume()
  onTestFinished(() => {
    socket.destroy()
    server.close()
  })
  const ask = (count: number) => socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(count))
  ask(32)
  await eventually(() => expect(waiting).toHaveLength(32))
  for (const response of waiting) response.end()
  await eventually(() => expect(waiting.every(({ closed }) => closed)).toBe(true))
  ask(32)
  await eventually(() => expect(waiting).toHaveLength(64))
  const closed = once(socket, "close")
  ask(1)
  await closed
  expect(waiting).toHaveLength(64)
})
