import { once } from "node:events"
import { type AddressInfo, connect, createServer, type Socket } from "node:net"
import { buffer } from "node:stream/consumers"
import { afterEach, beforeEach, expect, test } from "vitest"
import { eventually } from "./eventually.ts"
import { createFaultProxy, type FaultProxy } from "./fault-proxy.ts"
import { seededRandom } from "./seeded-random.ts"

const echo = createServer({ allowHalfOpen: true }, (socket) => {
  socket.on("error", () => undefined)
  socket.pipe(socket)
})
let proxy: FaultProxy

beforeEach(async () => {
  echo.listen(0, "127.0.0.1")
  await once(echo, "listening")
  proxy = await createFaultProxy({
    target: { host: "127.0.0.1", port: (echo.address() as AddressInfo).port },
  })
})

afterEach(async () => {
  await proxy[Symbol.asyncDispose]()
  await new Promise((resolve) => echo.close(resolve))
})

function echoPort(): number {
  return (echo.address() as AddressInfo).port
}

async function open(): Promise<Socket> {
  const socket = connect({ host: proxy.host, port: proxy.port, allowHalfOpen: true })
  await once(socket, "connect")
  return socket
}

test("a megabyte comes back whole, up to the end of the stream", async () => {
  const bytes = seededRandom(1).bytes(1024 * 1024)
  const socket = await open()
  socket.end(bytes)
  expect((await buffer(socket)).equals(bytes)).toBe(true)
})

test("cut ends every connection, and new ones are taken", async () => {
  const socket = await open()
  socket.write("x")
  await once(socket, "data")
  expect(proxy.connections).toBe(1)
  proxy.cut()
  expect(proxy.connections).toBe(0)
  await once(socket, "end")
  const again = await open()
  again.end("y")
  expect((await buffer(again)).toString()).toBe("y")
})

test("a frozen proxy takes bytes and connections but forwards nothing until it thaws", async () => {
  const socket = await open()
  socket.write("before")
  await once(socket, "data")
  proxy.freeze()
  const late = await open()
  socket.end(" after")
  late.end("late")
  let isSilent = true
  const answers = Promise.all([socket, late].map((answered) => buffer(answered)))
  void answers.then(() => {
    isSilent = false
  })
  await eventually(() => expect(proxy.connections).toBe(2))
  // An answer past the proxy takes as long as one through it would.
  const direct = connect({ host: "127.0.0.1", port: echoPort(), allowHalfOpen: true })
  direct.end("direct")
  expect(String(await buffer(direct))).toBe("direct")
  expect(isSilent).toBe(true)
  proxy.thaw()
  expect((await answers).map(String)).toEqual([" after", "late"])
})
