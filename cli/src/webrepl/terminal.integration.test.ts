import { once } from "node:events"
import { connect } from "node:net"
import type { WebreplConfig } from "@serialcast/service-kit"
import { connectWebrepl, eventually, type WebreplClientKind } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import { startTestAll } from "../testing/start-test-all.ts"
import type { RunningAll } from "../up/start-all.ts"
import { board } from "./testing/board.ts"

const encode = (text: string) => new TextEncoder().encode(text)
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

async function start(changes: Partial<WebreplConfig> = {}) {
  const running = await startTestAll({}, { webrepl: [board(changes)] })
  onTestFinished(() => running[Symbol.asyncDispose]())
  const state = () => {
    const [listener] = running.all.served().boards
    if (listener === undefined) throw new Error("there is no listener")
    return listener
  }
  const { endpoint } = state()
  return { ...running, endpoint, state }
}

async function open(endpoint: string, kind?: WebreplClientKind) {
  const client = await connectWebrepl(endpoint, kind)
  onTestFinished(() => void client.socket.destroy())
  return client
}

const loggedIn = "Password: \r\nWebREPL connected\r\n>>> "

test("a command-line client logs in with password and version request back to back, and talks to the board", async () => {
  const { endpoint, pty } = await start()
  const client = await open(endpoint)
  await client.untilText("Password: ")
  expect(client.text).toBe("Password: ")
  const request = new Uint8Array(82)
  request.set([0x57, 0x41, 3])
  client.sendBinary("a long secret\r")
  client.sendBinary(request.subarray(0, 10))
  client.sendBinary(request.subarray(10))
  expect(await client.nextBinary()).toEqual(Uint8Array.of(0, 0, 0))
  expect(client.text).toBe(loggedIn)
  client.sendText("print(1)\r")
  expect(decode(await pty.read(9))).toBe("print(1)\r")
  await pty.write(encode("print(1)\r\n1\r\n>>> "))
  await client.untilText("1\r\n>>> ")
  expect(client.text).toBe(`${loggedIn}print(1)\r\n1\r\n>>> `)
})

test("a page logs in key by key, is given only UTF-8, and its closing is answered", async () => {
  const { endpoint, pty, state } = await start()
  const client = await open(endpoint, "page")
  client.type("a long secret\n")
  await client.untilText(loggedIn)
  client.type("é\n")
  expect(decode(await pty.read(3))).toBe("é\r")
  await pty.write(Uint8Array.of(0xe2, 0x82))
  await pty.write(Uint8Array.of(0xac, 0xff, 0x80, 0x41))
  await client.untilText("A")
  // A character that came in two pieces may have waited too long for the second one on a busy machine.
  expect(client.text.slice(loggedIn.length)).toMatch(/^(€|\ufffd+)\ufffd\ufffdA$/)
  client.send(9, "are you there")
  expect(decode(await client.untilFrame(10))).toBe("are you there")
  client.send(8, Uint8Array.of(3, 0xe8))
  expect(await client.untilFrame(8)).toEqual(new Uint8Array(0))
  await client.untilEnd()
  client.socket.end()
  await eventually(() => expect(state().clients).toEqual([]))
})

test("the end of a character that does not come is not waited for", async () => {
  const { endpoint, pty } = await start()
  const client = await open(endpoint)
  client.sendText("a long secret\n")
  await client.untilText(loggedIn)
  await pty.write(Uint8Array.of(0x41, 0xe2, 0x82))
  await client.untilText("A\ufffd")
})

/** Resolves when the board has said so many bytes. */
async function untilRead({ devices }: RunningAll, count: number): Promise<void> {
  const { signal } = new AbortController()
  for await (const event of devices.device("local/pty").read({ from: { kind: "start" }, signal }))
    if (event.kind === "bytes" && event.cursor.offset >= count) return
}

test("what the board said before the log-in is not shown, and a LF behind the CR is typed", async () => {
  const { endpoint, pty, all } = await start()
  const client = await open(endpoint)
  await client.untilText("Password: ")
  await pty.write(encode("before"))
  await untilRead(all, 6)
  client.sendText("a long secret\r\n")
  expect(decode(await pty.read(1))).toBe("\n")
  await pty.write(encode("after"))
  await client.untilText("after")
  expect(client.text).toBe(`${loggedIn}after`)
})

test.each(["commandLine", "page"] as const)(
  "a wrong password is denied whole, with a close frame, and no reset: %s",
  async (kind) => {
    const { endpoint, state } = await start()
    const client = await open(endpoint, kind)
    client.sendBinary("wrong\r")
    client.sendBinary(new Uint8Array(82))
    await client.untilEnd()
    expect(client.text).toBe("Password: \r\nAccess denied\r\n")
    expect(client.frames.at(-1)?.opcode).toBe(8)
    client.socket.end()
    await once(client.socket, "close")
    expect(client.wasReset).toBe(false)
    expect(state().clients).toEqual([])
  },
)

test("an address that guesses is denied the right password too", async () => {
  const { endpoint } = await start()
  for (let guess = 0; guess < 10; guess++) {
    const client = await open(endpoint)
    client.sendText(`${guess}\r`)
    await client.untilEnd()
    client.socket.destroy()
  }
  const client = await open(endpoint)
  client.sendText("a long secret\r")
  await client.untilEnd()
  expect(client.text).toContain("Access denied")
})

test("a second client is upgraded, told without what looks like a prompt, and closed; then the place is free", async () => {
  const { endpoint, state } = await start()
  const first = await open(endpoint)
  first.sendText("a long secret\r")
  await first.untilText(loggedIn)
  const second = await open(endpoint)
  await second.untilEnd()
  expect(second.text).toContain("in use by another client")
  expect(second.text).not.toContain(": ")
  expect(second.frames.map(({ opcode }) => opcode)).toEqual([1, 8])
  expect(state().clients).toMatchObject([{ role: "holder" }])
  first.socket.resetAndDestroy()
  await eventually(() => expect(state().clients).toEqual([]))
  const third = await open(endpoint)
  await third.untilText("Password: ")
})

test("a watcher sees what the board says, and types nothing", async () => {
  const { endpoint, pty } = await start({ watchers: 1 })
  const first = await open(endpoint)
  first.sendText("a long secret\r")
  await first.untilText(loggedIn)
  const second = await open(endpoint)
  second.sendText("a long secret\r")
  await second.untilText("this one watches")
  second.sendText("no")
  first.sendText("yes")
  expect(decode(await pty.read(3))).toBe("yes")
  await pty.write(encode("seen"))
  await Promise.all([first.untilText("seen"), second.untilText("seen")])
  const third = await open(endpoint)
  await third.untilEnd()
  expect(third.text).toContain("in use")
})

test("with takeOver who logs in takes the place, and the other is told and closed", async () => {
  const { endpoint, pty, state } = await start({ takeOver: true })
  const first = await open(endpoint)
  first.sendText("a long secret\r")
  await first.untilText(loggedIn)
  const second = await open(endpoint)
  second.sendText("wrong\r")
  await second.untilEnd()
  expect(state().clients.length).toBe(1)
  const third = await open(endpoint)
  third.sendText("a long secret\r")
  await third.untilText(loggedIn)
  await first.untilEnd()
  expect(first.text).toContain("another client has taken over")
  third.sendText("mine")
  expect(decode(await pty.read(4))).toBe("mine")
  await eventually(() => expect(state().clients).toMatchObject([{ role: "holder" }]))
})

test("a frame that breaks the rules ends the connection with its code", async () => {
  const { endpoint } = await start()
  const client = await open(endpoint)
  client.socket.write(Uint8Array.of(0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0))
  const close = await client.untilFrame(8)
  expect([...close.subarray(0, 2)]).toEqual([0x03, 0xf1])
  await client.untilEnd()
})

test("an unplugged board is told, and so is what is typed meanwhile", async () => {
  const { endpoint, pty } = await start()
  const client = await open(endpoint)
  client.sendText("a long secret\r")
  await client.untilText(loggedIn)
  await pty.unplug()
  await client.untilText("the board was unplugged")
  client.sendText("x")
  await client.untilText("not written")
})

test("a request without an upgrade gets the document that leads elsewhere, byte for byte, with staticHost", async () => {
  const { endpoint } = await start({ staticHost: "https://example.org/webrepl/" })
  const answer = await ask(endpoint, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
  expect(answer).toBe(
    'HTTP/1.0 200 OK\r\n\r\n<base href="https://example.org/webrepl/"></base>\r\n<script src="webrepl_content.js"></script>\r\n',
  )
  expect(await ask(endpoint, "nonsense\r\nno colon\r\n\r\n")).toBe(answer)
  // In lower case it is no upgrade, as on a board.
  const lower =
    "GET / HTTP/1.1\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-key: foo\r\n\r\n"
  expect(await ask(endpoint, lower)).toBe(answer)
})

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

test("a stop tells clients, and is over with them connected", async () => {
  const { endpoint, all } = await start()
  const waiting = await open(endpoint)
  const client = await open(endpoint)
  client.sendText("a long secret\r")
  await client.untilText(loggedIn)
  client.socket.on("end", () => client.socket.end())
  await all.stop()
  await Promise.all([client.untilEnd(), waiting.untilEnd()])
  expect(client.text).toContain("the service stops")
})

test("a client that does not read costs one beside it nothing, and does not hold up a stop", async () => {
  const { endpoint, pty, all } = await start({ watchers: 1 })
  const frozen = await open(endpoint)
  frozen.sendText("a long secret\r")
  await frozen.untilText(loggedIn)
  frozen.socket.pause()
  const reader = await open(endpoint)
  reader.sendText("a long secret\r")
  await reader.untilText("this one watches")
  const line = `${"x".repeat(1_000)}\r\n`
  for (let count = 0; count < 4_000; count++) await pty.write(encode(line))
  await pty.write(encode("the end"))
  await reader.untilText("the end")
  expect(reader.text.split(line).length).toBe(4_001)
  await all.stop()
})
