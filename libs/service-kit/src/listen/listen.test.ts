import { once } from "node:events"
import { createServer as createHttpServer } from "node:http"
import { connect, createServer } from "node:net"
import { expect, test } from "vitest"
import { closeServer } from "./close-server.ts"
import { listen } from "./listen.ts"

const anyPort = { host: "127.0.0.1", port: 0 }

test("the address that was bound is answered, also for every address of the machine", async () => {
  for (const address of [anyPort, { host: "*", port: 0 }]) {
    const server = createServer()
    const { port } = await listen(server, address, "test")
    const socket = connect(port, "127.0.0.1")
    await once(socket, "connect")
    socket.destroy()
    await closeServer(server)
  }
})

test("a port in use is told with its number and what it was for", async () => {
  const first = createServer()
  const { port } = await listen(first, anyPort, "console")
  await expect(listen(createServer(), { host: "127.0.0.1", port }, "console")).rejects.toMatchObject({
    code: "listen_failed",
    message: `Port ${port} (console) is in use by another program.`,
  })
  await closeServer(first)
})

test("an address of another machine is told", async () => {
  // 192.0.2.0/24 is nobody's address (RFC 5737).
  await expect(listen(createServer(), { host: "192.0.2.1", port: 0 }, "admin")).rejects.toMatchObject({
    code: "listen_failed",
    message: "The address 192.0.2.1 (admin) is not one of this machine's addresses.",
  })
})

test("closing ends connections that would stay open, upgraded ones included", async () => {
  const server = createHttpServer()
  server.on("upgrade", (_, socket) => {
    socket.on("error", () => socket.destroy())
    socket.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: test\r\nConnection: Upgrade\r\n\r\n")
  })
  const { port } = await listen(server, anyPort, "test")
  const socket = connect(port, "127.0.0.1")
  socket.write("GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: test\r\nConnection: Upgrade\r\n\r\n")
  await once(socket, "data")
  const closed = once(socket, "close")
  await closeServer(server, { graceMs: 0 })
  await closed
})

test("a request that is being answered may finish", async () => {
  const server = createHttpServer()
  const { port } = await listen(server, anyPort, "test")
  const requested = once(server, "request")
  const answer = fetch(`http://127.0.0.1:${port}/`)
  const [, response] = await requested
  const closed = closeServer(server, { graceMs: 60_000 })
  response.setHeader("Connection", "close")
  response.end("done")
  expect(await (await answer).text()).toBe("done")
  await closed
})

test("closing a server that does not listen is no error", async () => {
  await closeServer(createServer())
})

test("connections beyond the cap are closed at once; it is 1,024 unless the server has its own", async () => {
  const usual = createServer()
  await listen(usual, anyPort, "test")
  expect(usual.maxConnections).toBe(1_024)
  await closeServer(usual)

  const server = createServer()
  server.maxConnections = 1
  const { port } = await listen(server, anyPort, "test")
  const first = connect(port, "127.0.0.1")
  await once(server, "connection")
  const second = connect(port, "127.0.0.1").resume()
  await once(second, "close")
  expect(first.readyState).toBe("open")
  first.destroy()
  await closeServer(server)
})
