import { once } from "node:events"
import { connect } from "node:net"
import { systemClock } from "@serialcast/primitives"
import { createLogger, formatListenAddress } from "@serialcast/service-kit"
import { connectWebrepl, eventually, freePort } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import { getRequest } from "../testing/file-requests.ts"
import { MemoryBoard } from "../testing/memory-board.ts"
import { noDevices } from "../testing/start-test-service.ts"
import { WebreplModule, type WebreplModuleDeps } from "./webrepl-module.ts"

const host = "127.0.0.1"
const password = "secret"

function createModule(changes: Partial<WebreplModuleDeps> = {}) {
  const printed: string[] = []
  const board = new MemoryBoard()
  const module = new WebreplModule({
    device: "local/uno",
    devices: noDevices,
    clock: systemClock,
    log: createLogger({ name: "test", level: "silent" }),
    refusals: { report() {} },
    useBoard: board.use,
    print: (line) => printed.push(line),
    cfg: null,
    ...changes,
  })
  onTestFinished(() => module.stop())
  const endpoint = () => formatListenAddress(module.listenSocket?.address ?? { host: "nowhere", port: 0 })
  const open = async () => {
    const client = await connectWebrepl(endpoint())
    onTestFinished(() => void client.socket.destroy())
    return client
  }
  return { module, printed, board, endpoint, open }
}

async function ask(endpoint: string, request: string): Promise<string> {
  const { hostname, port } = new URL(`http://${endpoint}`)
  const socket = connect(Number(port), hostname)
  let answer = ""
  socket.setEncoding("latin1").on("data", (text: string) => {
    answer += text
  })
  await once(socket, "connect")
  socket.write(request)
  await once(socket, "close")
  return answer
}

const document = (base: string) =>
  `HTTP/1.0 200 OK\r\n\r\n<base href="${base}"></base>\r\n<script src="webrepl_content.js"></script>\r\n`

test("started with a password, it takes one client, serves visitors the document, and tells a second client", async () => {
  const { module, printed, board, endpoint, open } = createModule()
  await module.start({ port: 0, host, password })
  expect(printed).toEqual([
    `WebREPL server started on http://${endpoint()}/`,
    "Started webrepl in manual override mode",
  ])
  const client = await open()
  await client.untilText("Password: ")
  expect(module.clientSocket).not.toBeNull()
  expect(await ask(endpoint(), "GET / HTTP/1.1\r\n\r\n")).toBe(document("https://micropython.org/webrepl/"))
  const second = await open()
  await second.untilEnd()
  expect(second.text).not.toContain(": ")
  expect(printed.at(-1)).toMatch(/^\nConcurrent WebREPL connection from 127\.0\.0\.1:\d+ rejected$/)
  client.sendText("secret\r")
  await client.untilText("WebREPL connected")
  board.files.set("boot.py", Uint8Array.of(1, 2))
  client.sendBinary(getRequest("boot.py"))
  client.sendBinary(Uint8Array.of(0))
  expect(await client.nextBinary()).toEqual(Uint8Array.of(0x57, 0x42, 0, 0))
  expect(await client.nextBinary()).toEqual(Uint8Array.of(2, 0, 1, 2))
  client.socket.end()
  await client.untilEnd()
  await eventually(() => expect(module.clientSocket).toBeNull())
})

test("with cfg it is the normal mode, and its BASE is the static host; an explicit password leaves BASE alone", async () => {
  const cfg = { PASS: password, BASE: "https://example.org/" }
  const { module, printed, endpoint } = createModule({ cfg })
  await module.start({ port: 0, host, password: "another" })
  expect(await ask(endpoint(), "GET / HTTP/1.1\r\n\r\n")).toBe(document("https://micropython.org/webrepl/"))
  await module.start({ port: 0, host })
  expect(printed.at(-1)).toBe("Started webrepl in normal mode")
  expect(await ask(endpoint(), "GET / HTTP/1.1\r\n\r\n")).toBe(document("https://example.org/"))
})

test("without a password and without cfg it says so, and does not listen", async () => {
  const { module, printed } = createModule()
  await expect(module.start({ port: 0, host })).rejects.toMatchObject({ code: "bad_config" })
  expect(printed).toEqual([expect.stringContaining("WebREPL is not configured")])
  expect(module.listenSocket).toBeNull()
})

test("in the foreground it serves visitors until a client has upgraded", async () => {
  const { module, printed, endpoint, open } = createModule()
  let isStarted = false
  const starting = module.start({ port: 0, host, password, acceptHandler: null }).then(() => {
    isStarted = true
  })
  await eventually(() => expect(printed).toContain("Starting webrepl in foreground mode"))
  expect(await ask(endpoint(), "GET / HTTP/1.1\r\n\r\n")).toContain("webrepl_content.js")
  expect(isStarted).toBe(false)
  const client = await open()
  await starting
  await client.untilText("Password: ")
})

test("startForeground takes a port, and a stop ends it", async () => {
  const { module, printed } = createModule()
  const port = await freePort()
  const starting = module.startForeground({ port, password })
  await eventually(() => expect(printed).toContain("Starting webrepl in foreground mode"))
  await module.stop()
  await starting
})

test("a second start drops the client, and a stop forgets listener and client without a close frame", async () => {
  const { module, open } = createModule()
  await module.start({ port: 0, host, password })
  const first = await open()
  await first.untilText("Password: ")
  await module.start({ port: 0, host, password })
  await first.untilEnd()
  const second = await open()
  await second.untilText("Password: ")
  await module.stop()
  await second.untilEnd()
  expect(second.frames.map(({ opcode }) => opcode)).toEqual([1])
  expect([module.listenSocket, module.clientSocket]).toEqual([null, null])
})

test("an accept handler of one's own gets the listening socket, and may take its parts", async () => {
  const { module, endpoint } = createModule()
  await module.start({
    port: 0,
    host,
    password,
    async acceptHandler(listenSocket) {
      const socket = await listenSocket.accept()
      if (socket === null || (await module.serverHandshake(socket)) !== null) return
      module.staticHost = "https://own.example/"
      module.sendHtml(socket)
    },
  })
  expect(await ask(endpoint(), "GET / HTTP/1.1\r\n\r\n")).toBe(document("https://own.example/"))
})

test("DEBUG prints the request, its headers, the key and its answer", async () => {
  const { module, printed, open } = createModule()
  module.DEBUG = 1
  await module.start({ port: 0, host, password })
  const client = await open()
  await client.untilText("Password: ")
  expect(printed).toContain("GET / HTTP/1.1")
  expect(printed).toContain("Sec-WebSocket-Key: foo")
  expect(printed.join("\n")).toContain("Sec-WebSocket-Accept: BM0S0+ghftShuFVHQATK/DBiJq8=")
})

test("a password that nobody could give is refused", async () => {
  const { module } = createModule()
  await expect(module.start({ port: 0, host, password: "a\nb" })).rejects.toMatchObject({
    code: "bad_config",
  })
})
