import { once } from "node:events"
import { connect } from "node:net"
import { createDeferred } from "@serialcast/primitives"
import { eventually, FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { WebSocket } from "ws"
import { startTestConsole, streamProtocol, type TestConsole } from "../testing/test-console.ts"

const token = "a-token-of-many-letters"

/** Status of a handshake that is refused. */
function refusalOf(url: string, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { headers })
    socket.on("unexpected-response", (_, response) => {
      response.resume()
      resolve(response.statusCode)
    })
    socket.on("open", () => reject(new Error("the handshake was accepted")))
  })
}

test.each([
  ["without a token", 401, "/ws", {}],
  ["with a wrong one", 401, "/ws", { Authorization: "Bearer wrong" }],
  ["from another site", 403, "/ws", { Authorization: `Bearer ${token}`, Origin: "http://evil.example" }],
  ["to a rebound name", 421, "/ws", { Authorization: `Bearer ${token}`, Host: "evil.example" }],
  ["from another site, to the list", 403, "/ws/devices", { Origin: "http://evil.example" }],
  ["to another path", 404, "/socket", { Authorization: `Bearer ${token}` }],
])("a handshake %s is refused with %i", async (_, status, path, headers) => {
  await using app = await startTestConsole({ token })
  expect(await refusalOf(`ws${app.url.slice(4)}${path}`, headers)).toBe(status)
})

test("a handshake to what is no address is refused, and the console lives on", async () => {
  await using app = await startTestConsole()
  const socket = connect(app.running.address.port, "127.0.0.1")
  socket.write("GET //[ HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
  const [answer] = await once(socket, "data")
  expect(String(answer)).toMatch(/^HTTP\/1.1 404 /)
  const client = await app.connect("/ws")
  expect(await client.text()).toBe("connected")
})

test("a handshake behind a request that is not answered yet is refused, and the console lives on", async () => {
  await using app = await startTestConsole()
  const socket = connect(app.running.address.port, "127.0.0.1")
  let text = ""
  socket.on("data", (part) => (text += String(part)))
  const head = "HTTP/1.1\r\nHost: localhost\r\n"
  socket.write(`GET / ${head}\r\nGET /ws ${head}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`)
  await once(socket, "close")
  expect(text).toMatch(/^HTTP\/1.1 [^]*HTTP\/1.1 400 /)
  await app.connect("/ws")
})

test("a handshake with the token, from the console's own page, is accepted", async () => {
  await using app = await startTestConsole({ token })
  const headers = { Authorization: `Bearer ${token}`, Origin: app.url }
  const client = await app.connect("/ws", { headers })
  expect(await client.text()).toBe("connected")
})

test("the list of devices comes at once and after each change", async () => {
  await using app = await startTestConsole()
  const client = await app.connect("/ws/devices")
  const online = async () =>
    JSON.parse(await client.text()).devices.map(({ device, online }: Record<string, unknown>) => [
      device,
      online,
    ])
  expect(await online()).toEqual([["uno", true]])
  app.devices.setState({ online: false })
  expect(await online()).toEqual([["uno", false]])
})

test("many changes at once are one frame", async () => {
  const clock = new FakeClock()
  await using app = await startTestConsole({ clock })
  const client = await app.connect("/ws/devices")
  await client.text()
  for (const device of ["a", "b", "c"]) app.devices.setState({ device })
  await clock.advanceAsync(100)
  expect(JSON.parse(await client.text()).devices).toHaveLength(4)
})

test("a client that answers no ping is cut off", async () => {
  const clock = new FakeClock()
  await using app = await startTestConsole({ clock })
  const client = await app.connect("/ws", { ...streamProtocol, autoPong: false })
  const pinged = new Promise((resolve) => client.socket.once("ping", resolve))
  await client.message()
  await clock.advanceAsync(15_000)
  await pinged
  await clock.advanceAsync(15_000)
  expect((await client.closed).code).toBe(1006)
})

test("a quiet client that answers its pings stays", async () => {
  const clock = new FakeClock()
  await using app = await startTestConsole({ clock })
  const client = await app.connect("/ws", streamProtocol)
  await client.message()
  for (let beat = 0; beat < 4; beat++) {
    const pinged = new Promise((resolve) => client.socket.once("ping", resolve))
    await clock.advanceAsync(15_000)
    await pinged
    // The pong is in front of this write, so its receipt says that the pong has arrived.
    client.socket.send("x")
    await client.message()
  }
  expect(client.socket.readyState).toBe(WebSocket.OPEN)
})

/** A client that sent two writes and left while the first is on its way. */
async function leaveWithWrites(app: TestConsole) {
  const client = await app.connect("/ws", streamProtocol)
  await client.message()
  const started = createDeferred<void>()
  const write = createDeferred<void>()
  app.devices.onWrite = () => {
    started.resolve()
    return write.promise
  }
  client.socket.send(Uint8Array.of(1))
  client.socket.send(Uint8Array.of(2))
  await started.promise
  client.socket.close()
  await client.closed
  return write
}

test("a client that has left is counted until its writes are done", async () => {
  await using app = await startTestConsole()
  const write = await leaveWithWrites(app)
  expect(await app.metrics.metrics()).toContain("serialcast_console_sockets 1")
  write.resolve()
  await eventually(async () => expect(await app.metrics.metrics()).toContain("serialcast_console_sockets 0"))
  expect(app.devices.writes).toHaveLength(2)
})

test("a stop waits for the write of a client that has left, and refuses those behind it", async () => {
  const app = await startTestConsole()
  const write = await leaveWithWrites(app)
  let isStopped = false
  const stopped = app.running.stop().then(() => {
    isStopped = true
  })
  await new Promise(setImmediate)
  expect(isStopped).toBe(false)
  write.resolve()
  await stopped
  expect(app.devices.writes).toHaveLength(1)
  const text = await app.metrics.metrics()
  expect(text).toContain('serialcast_console_writes_total{outcome="done"} 1')
  expect(text).toContain('serialcast_console_writes_total{outcome="expired"} 1')
})

test("a stop leaves a write without an outcome behind after 1.5 s", async () => {
  const clock = new FakeClock()
  const app = await startTestConsole({ clock })
  const write = await leaveWithWrites(app)
  const stopped = app.running.stop()
  await clock.advanceAsync(1_500)
  await stopped
  write.resolve()
})

test("sockets and writes are counted", async () => {
  await using app = await startTestConsole()
  const client = await app.connect("/ws", streamProtocol)
  await client.message()
  client.socket.send(Uint8Array.of(1))
  await client.message()
  const text = await app.metrics.metrics()
  expect(text).toContain("serialcast_console_sockets 1")
  expect(text).toContain('serialcast_console_writes_total{outcome="done"} 1')
})

/** A masked frame of a client (RFC 6455 §5.2) with so little in it that its length is one byte. */
function frame(opcode: number, payload: Uint8Array, isLast: boolean): Uint8Array {
  return Uint8Array.of((isLast ? 0x80 : 0) | opcode, 0x80 | payload.byteLength, 0, 0, 0, 0, ...payload)
}

test("messages that clients begin and do not end are bounded together: one address has half, and others go on", async () => {
  await using app = await startTestConsole()
  const piece = new Uint8Array(4 * 1024 * 1024 - 1)
  const begin = async (localAddress: string) => {
    const client = await app.connect("/ws?device=local/uno", { ...streamProtocol, localAddress })
    await client.message()
    let code: number | undefined
    void client.closed.then((closed) => (code = closed.code))
    client.socket.send(piece, { fin: false })
    return { ...client, code: () => code }
  }
  const clients: Awaited<ReturnType<typeof begin>>[] = []
  for (let n = 0; n < 12; n++) clients.push(await begin("127.0.0.1"))
  await eventually(() => expect(clients.filter(({ code }) => code() === 1013)).toHaveLength(4))
  const other = await begin("127.0.0.2")
  other.socket.send(new Uint8Array(1), { fin: true })
  expect(await other.message()).toMatchObject({ type: "receipt", bytes: 4 * 1024 * 1024 })
  const small = await app.connect("/ws?device=local/uno", streamProtocol)
  await small.message()
  small.socket.send("x")
  expect(await small.message()).toMatchObject({ type: "error", code: "bad_request" })
})

test("a message in more pieces than any browser makes closes the socket", async () => {
  await using app = await startTestConsole()
  const client = await app.connect("/ws?device=local/uno", streamProtocol)
  await client.message()
  client.socket.on("error", () => {})
  for (let n = 0; n < 2_000; n++) client.socket.send("x", { fin: false, binary: true })
  expect((await client.closed).code).toBe(1008)
  expect(await app.metrics.metrics()).toMatch(
    /^serialcast_http_refusals_total\{listener="console",code="bad_message"\} 1$/m,
  )
})

test("a client that pings without end and reads no answer is cut off", async () => {
  await using app = await startTestConsole()
  const socket = connect(app.running.address.port, "127.0.0.1")
  socket.on("error", () => {})
  socket.write(
    "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDAwMDAwMDAwMDAwMDAwMA==\r\n\r\n",
  )
  await once(socket, "data")
  socket.pause()
  const pings = Buffer.concat(Array.from({ length: 500 }, () => frame(9, new Uint8Array(125), true)))
  let isClosed = false
  socket.once("close", () => (isClosed = true))
  await eventually(() => {
    socket.write(pings)
    expect(isClosed).toBe(true)
  })
})

test("one address has half of the sockets", { timeout: 60_000 }, async () => {
  await using app = await startTestConsole()
  for (let n = 0; n < 500; n++) await app.connect("/ws/devices")
  expect(await refusalOf(`ws${app.url.slice(4)}/ws/devices`, {})).toBe(503)
  expect(await app.metrics.metrics()).toMatch(
    /^serialcast_http_refusals_total\{listener="console",code="overloaded"\} 1$/m,
  )
  const other = await app.connect("/ws/devices", { localAddress: "127.0.0.2" })
  await other.text()
})
