import { connect } from "node:net"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { concatBytes, delay, systemClock } from "@serialcast/primitives"
import { deviceAt } from "@serialcast/serial-agent"
import { eventually, putByWebrepl, type SeededRandom, seededRandom } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { startTestAll, type TestAll } from "../testing/start-test-all.ts"
import { board } from "./testing/board.ts"
import { logInAt } from "./testing/board-user.ts"

const hangUps = Number(process.env["HANG_UPS"] ?? 10_000)
const seed = process.env["FAULT_SEED"]
/** Fewer than a listener takes of one address. */
const atOnce = 8
/** A session that stays is several kilobytes; the rest is compiled code, and the journal's place for what comes. */
const mostKeptBytes = 700

const encode = (text: string) => new TextEncoder().encode(text)
const head = encode(
  "GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: foo\r\n\r\n",
)
const binary = (payload: Uint8Array) => concatBytes([Uint8Array.of(0x82, payload.byteLength), payload])

function request(type: number, size: number): Uint8Array {
  const bytes = new Uint8Array(82)
  bytes.set([0x57, 0x41, type])
  new DataView(bytes.buffer).setUint32(12, size, true)
  bytes.set(encode("a.bin"), 18)
  return bytes
}

/** What a client sends from its first byte to the middle of a file. */
const login = concatBytes([head, binary(encode("a long secret\r"))])
const put = concatBytes([
  login,
  binary(request(1, 300)),
  ...Array.from({ length: 3 }, () => binary(new Uint8Array(100))),
])
const get = concatBytes([login, binary(request(2, 0)), binary(new Uint8Array(2))])
/** Most hang up before a transfer, which takes the board some time. */
const plan = (random: SeededRandom) => {
  const chance = random.next()
  const [most, from] =
    chance < 0.95 ? [login, 0] : chance < 0.975 ? [put, login.byteLength] : [get, login.byteLength]
  return most.subarray(0, from + Math.ceil(random.next() * (most.byteLength - from)))
}

async function hangUp(endpoint: string, random: SeededRandom): Promise<void> {
  const { hostname, port } = new URL(`http://${endpoint}`)
  const socket = connect(Number(port), hostname)
  socket.on("error", () => {})
  socket.resume()
  // A connection may be refused or reset, which is one way to hang up.
  const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()))
  const connected = new Promise<void>((resolve) => socket.on("connect", resolve))
  await Promise.race([connected, closed])
  socket.write(plan(random))
  if (random.next() < 0.5) await delay(systemClock, random.next() * 20)
  if (random.next() < 0.5) socket.resetAndDestroy()
  else socket.destroy()
  await closed
}

setFlagsFromString("--expose-gc")
const collect = runInNewContext("gc") as () => void

/** What is used when nobody is there any more: bytes of the heap, sockets and timers. */
async function usedBy(running: TestAll, sockets: number) {
  // Its turn comes when all transfers that were given up have let go of the board.
  const { client } = await logInAt(running, "local/board")
  await putByWebrepl(client, "whole.bin", new Uint8Array(100))
  client.socket.destroy()
  const { all } = running
  const count = (kind: string) => process.getActiveResourcesInfo().filter((one) => one === kind).length
  await eventually(() => {
    expect(all.served().boards[0]?.clients).toEqual([])
    expect(count("TCPSocketWrap"), "sockets").toBeLessThanOrEqual(sockets)
  })
  collect()
  // What was waited for is let go of in turns of its own.
  await delay(systemClock, 100)
  collect()
  return { heap: process.memoryUsage().heapUsed, sockets: count("TCPSocketWrap"), timers: count("Timeout") }
}

test("whoever hangs up, wherever, leaves nothing behind", {
  timeout: 60_000 + hangUps * 50,
}, async () => {
  const random = seededRandom(seed === undefined ? undefined : Number(seed))
  process.stderr.write(`seed ${random.seed}, ${hangUps} times\n`)
  const devices = { board: { ...deviceAt("sim:micropython"), baudRate: 4_000_000 } }
  await using running = await startTestAll({}, { devices, webrepl: [board({ device: "local/board" })] })
  const endpoint = running.all.served().boards[0]?.endpoint ?? ""
  const many = async (count: number) => {
    let left = count
    const one = async () => {
      while (left-- > 0) await hangUp(endpoint, random)
    }
    await Promise.all(Array.from({ length: atOnce }, one))
  }
  const idle = await usedBy(running, Number.POSITIVE_INFINITY)
  await many(hangUps / 5)
  const before = await usedBy(running, idle.sockets)
  await many((hangUps * 4) / 5)
  const after = await usedBy(running, idle.sockets)
  const kept = Math.round((after.heap - before.heap) / ((hangUps * 4) / 5))
  process.stderr.write(`${kept} bytes of each; timers ${idle.timers}, ${before.timers}, ${after.timers}\n`)
  expect(kept, `bytes that each leaves; seed ${random.seed}`).toBeLessThan(mostKeptBytes)
  expect(after.timers, "timers").toBeLessThanOrEqual(idle.timers + atOnce)
})
