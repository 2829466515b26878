import { once } from "node:events"
import { deviceAt } from "@serialcast/serial-agent"
import { connectWebrepl, eventually, type WebreplClient, type WebreplClientKind } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import { startTestAll } from "../testing/start-test-all.ts"
import { board } from "./testing/board.ts"

const ok = Uint8Array.of(0x57, 0x42, 0, 0)
const counting = (size: number) => Uint8Array.from({ length: size }, (_, index) => (index * 7) & 0xff)

/** A simulated board with genuine MicroPython, and two listeners of it. */
async function start() {
  const listener = board({ device: "local/chip" })
  const running = await startTestAll(
    {},
    { devices: { chip: deviceAt("sim:micropython") }, webrepl: [listener, listener] },
  )
  onTestFinished(() => running[Symbol.asyncDispose]())
  const { all } = running
  const clients = (at = 0) => all.served().boards[at]?.clients
  await eventually(() => expect(all.devices.devices.get("local/chip")?.online).toBe(true))
  const logIn = async (kind: WebreplClientKind, at = 0): Promise<WebreplClient> => {
    const client = await connectWebrepl(all.served().boards[at]?.endpoint ?? "", kind)
    onTestFinished(() => void client.socket.destroy())
    client.sendText("a long secret\r")
    await client.untilText("WebREPL connected")
    return client
  }
  return { logIn, clients }
}

/** As the official clients make it: `<2sBBQLH64s`. */
function request(type: number, name: string, size = 0): Uint8Array {
  const bytes = new Uint8Array(82)
  bytes.set([0x57, 0x41, type])
  new DataView(bytes.buffer).setUint32(12, size, true)
  bytes.set(new TextEncoder().encode(name), 18)
  return bytes
}

async function put(client: WebreplClient, name: string, file: Uint8Array): Promise<void> {
  client.sendBinary(request(1, name, file.byteLength))
  expect(await client.nextBinary()).toEqual(ok)
  for (let at = 0; at < file.byteLength; at += 1_024) client.sendBinary(file.subarray(at, at + 1_024))
  expect(await client.nextBinary()).toEqual(ok)
}

const get = (client: WebreplClient, name: string) => receive(client, 2, name)

async function receive(client: WebreplClient, type: number, name: string): Promise<Uint8Array> {
  client.sendBinary(request(type, name))
  expect(await client.nextBinary()).toEqual(ok)
  const got: number[] = []
  for (;;) {
    client.sendBinary(Uint8Array.of(0))
    const [, , ...bytes] = await client.nextBinary()
    if (bytes.length === 0) break
    got.push(...bytes)
  }
  expect(await client.nextBinary()).toEqual(ok)
  return Uint8Array.from(got)
}

test("files go to a board and back, byte by byte, and what a client types before and after is the board's", async () => {
  const { logIn } = await start()
  const client = await logIn("commandLine")
  client.sendText("1+1\r")
  await client.untilText("1+1\r\n2\r\n>>> ")
  for (const size of [0, 1, 255, 256, 257, 1_025, 8_000]) {
    await put(client, "data.bin", counting(size))
    expect(await get(client, "data.bin"), `${size} bytes`).toEqual(counting(size))
  }
  client.sendText("2+3\r")
  await client.untilText("2+3\r\n5\r\n>>> ")
  expect(client.text).not.toMatch(/raw REPL/)
  client.sendBinary(request(3, ""))
  expect((await client.nextBinary()).byteLength).toBe(3)
})

test.each(["commandLine", "page"] as const)(
  "a file that is not there is told where this client looks: %s",
  async (kind) => {
    const { logIn } = await start()
    const client = await logIn(kind)
    client.sendBinary(request(2, "nothing.py"))
    if (kind === "page") {
      expect(await client.nextBinary()).toEqual(ok)
      client.sendBinary(Uint8Array.of(0))
      expect(await client.nextBinary()).toEqual(Uint8Array.of(0, 0))
    }
    expect(await client.nextBinary()).toEqual(Uint8Array.of(0x57, 0x42, 2, 0))
    await client.untilText("get nothing.py failed.")
  },
)

test("a program that runs is interrupted for a transfer, and what is typed meanwhile follows it", async () => {
  const { logIn } = await start()
  const client = await logIn("page")
  client.sendText("import time\rwhile True: time.sleep_ms(10)\r\r\r")
  await client.untilText("time.sleep_ms(10)")
  client.sendBinary(request(1, "main.py", 3_000))
  expect(await client.nextBinary()).toEqual(ok)
  client.sendText("40+2\r")
  client.sendBinary(counting(3_000))
  expect(await client.nextBinary()).toEqual(ok)
  await client.untilText("40+2\r\n42\r\n>>> ")
})

test("a client that is killed in the middle of a put leaves the old file, and a board that the next one can use", async () => {
  const { logIn, clients } = await start()
  const first = await logIn("page")
  await put(first, "main.py", counting(2_000))
  first.sendBinary(request(1, "main.py", 100_000))
  expect(await first.nextBinary()).toEqual(ok)
  first.sendBinary(new Uint8Array(5_000))
  first.socket.resetAndDestroy()
  await once(first.socket, "close")
  await eventually(() => expect(clients()).toEqual([]))
  const next = await logIn("commandLine")
  expect(await get(next, "main.py")).toEqual(counting(2_000))
  next.sendText("7*6\r")
  await next.untilText("7*6\r\n42")
})

test("a client that hangs up while another one has the board never has it", async () => {
  const { logIn, clients } = await start()
  const first = await logIn("page")
  first.sendBinary(request(1, "main.py", 3_000))
  expect(await first.nextBinary()).toEqual(ok)
  const second = await logIn("page", 1)
  second.sendBinary(request(1, "other.py", 3_000))
  second.send(9, "after the request")
  await second.untilFrame(10)
  second.socket.destroy()
  await eventually(() => expect(clients(1)).toEqual([]))
  first.sendBinary(counting(3_000))
  expect(await first.nextBinary()).toEqual(ok)
  await put(await logIn("page", 1), "third.py", counting(10))
  // Everybody at the board reads what it is taken for.
  await first.untilText("put third.py, done")
  expect(first.text).toContain("put main.py, done")
  expect(first.text).not.toContain("other.py")
})

test("a folder of a board is listed, current or by its path, and a file removed from it", async () => {
  const { logIn } = await start()
  const client = await logIn("commandLine")
  client.sendText("import os; os.mkdir('/\\xe9'); os.chdir('/\\xe9')\r")
  await client.untilText("os.chdir('/\\xe9')\r\n>>> ")
  await put(client, "a.bin", counting(300))
  const folder = { path: "/é", entries: [{ name: "a.bin", kind: "file", size: 300 }], leftOut: 0 }
  for (const name of ["", "/é", "/é/"])
    expect(JSON.parse(new TextDecoder().decode(await receive(client, 4, name)))).toEqual(folder)
  client.sendBinary(request(5, "/é/a.bin"))
  expect(await client.nextBinary()).toEqual(ok)
  expect(JSON.parse(new TextDecoder().decode(await receive(client, 4, "")))).toMatchObject({ entries: [] })
})
