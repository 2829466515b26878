import { once } from "node:events"
import { readdirSync } from "node:fs"
import { connect } from "node:net"
import { setTimeout as pause } from "node:timers/promises"
import { deviceAt } from "@serialcast/serial-agent"
import type { Rfc2217Tunnel } from "@serialcast/service-kit"
import { eventually } from "@serialcast/testkit"
import { describe, expect, onTestFinished, test } from "vitest"
import { startTestAll, untilOffline } from "../testing/start-test-all.ts"
import { createPtySocket } from "./testing/pty-socket.ts"
import { connectRaw, portOf, type RawClient, rawTunnel } from "./testing/raw-client.ts"
import { rfc2217Tunnel, startTunnel, stateOf, untilOnline } from "./testing/rfc2217-tunnel.ts"

const ascii = (text: string) => new TextEncoder().encode(text)

/** What the tunnel says first. */
const openingSize = 18
const willComPort = [0xff, 0xfb, 0x2c]
const suspend = [0xff, 0xfa, 0x2c, 0x08, 0xff, 0xf0]
const resume = [0xff, 0xfa, 0x2c, 0x09, 0xff, 0xf0]
// Asked for as it is, so that its answer tells that all before it was done.
const question = [0xff, 0xfa, 0x2c, 0x02, 0x00, 0xff, 0xf0]
const answer = [0xff, 0xfa, 0x2c, 0x66, 0x08, 0xff, 0xf0]
const modemState = [0xff, 0xfa, 0x2c, 0x6b, 0xb0, 0xff, 0xf0]
const areYouThere = [0xff, 0xf6]
const nop = [0xff, 0xf1]
const setBaudRate9600 = [0xff, 0xfa, 0x2c, 0x01, 0x00, 0x00, 0x25, 0x80, 0xff, 0xf0]
const halfSubnegotiation = [0xff, 0xfa, 0x2c, 0x01, 0x00]

describe("a client that asks for silence", () => {
  test("gets neither data nor answers until it asks for more, and then all of it", async () => {
    await using running = await startTunnel({ replayBytes: 1024 })
    const { all, pty } = running
    const client = await connectRaw(portOf(all))
    client.socket.write(Uint8Array.from([...willComPort, ...suspend, ...areYouThere]))
    await client.read(openingSize)
    expect([...(await client.read(nop.length))]).toEqual(nop)
    await pty.write(ascii("hello"))
    // Whoever comes later gets it at once.
    const other = await connectRaw(portOf(all))
    await other.read(openingSize + 5)
    other.socket.destroy()
    client.socket.write(Uint8Array.from([...question, ...areYouThere]))
    expect([...(await client.read(nop.length))]).toEqual(nop)
    client.socket.write(Uint8Array.from(resume))
    const told = Buffer.from(await client.read(answer.length + modemState.length))
    for (const message of [answer, modemState]) expect(told.includes(Buffer.from(message))).toBe(true)
    expect(await client.read(5)).toEqual(ascii("hello"))
    client.socket.destroy()
  })
})

describe("a client without manners", () => {
  test("that stops in the middle of a sub-negotiation costs nobody anything", async () => {
    await using running = await startTunnel({ replayBytes: 1024 })
    const { all, pty } = running
    const half = await connectRaw(portOf(all))
    half.socket.write(Uint8Array.from([...willComPort, ...halfSubnegotiation]))
    const other = await connectRaw(portOf(all))
    await other.read(openingSize)
    await pty.write(ascii("hello"))
    expect(await other.read(5)).toEqual(ascii("hello"))
    half.socket.destroy()
    other.socket.destroy()
  })

  test("that asks again and again and reads no answer is not read any more, and the next one is served", async () => {
    await using running = await startTunnel()
    const { pty, all } = running
    const flood = connect({ host: "127.0.0.1", port: portOf(all) })
    flood.on("error", () => {})
    flood.pause()
    flood.write(Uint8Array.from(willComPort))
    // A poll of the modem state; its answer is as long.
    const poll = Uint8Array.of(0xff, 0xfa, 0x2c, 0x07, 0xff, 0xf0)
    const polls = new Uint8Array(1024 * 1024 * 6).map((_, at) => poll[at % poll.length] ?? 0)
    for (let n = 0; n < 4; n++) flood.write(polls)
    // What fits into the system's buffers goes; the rest stays with the client.
    let left = -1
    await eventually(
      () => {
        const before = left
        left = flood.writableLength
        expect(left).toBe(before)
      },
      { timeoutMs: 20_000 },
    )
    expect(left).toBeGreaterThan(1024 * 1024)
    flood.destroy()
    await eventually(() => expect(all.served().tunnels[0]?.clientCount).toBe(0))
    const next = await connectRaw(portOf(all))
    next.socket.write("A")
    expect(await pty.read(1)).toEqual(Uint8Array.of(0x41))
    next.socket.destroy()
  })
})

describe("a client that ends its side", () => {
  test("as a terminal gets the device's answer, and then the end", async () => {
    await using running = await startTunnel()
    const { all, pty } = running
    const client = await connectRaw(portOf(all))
    await client.read(openingSize)
    client.socket.end(ascii("AT\r"))
    expect(await pty.read(3)).toEqual(ascii("AT\r"))
    await pty.write(ascii("OK\r\n"))
    expect(await client.read(4)).toEqual(ascii("OK\r\n"))
    expect(await client.ended).toBe("fin")
  })

  test("as a program with COM-PORT gets the end when all is written, and the next one has control", async () => {
    await using running = await startTunnel()
    const { all, pty } = running
    const [first, next] = [await connectRaw(portOf(all)), await connectRaw(portOf(all))]
    first.socket.end(Uint8Array.from([...willComPort, ...ascii("AT\r")]))
    expect(await pty.read(3)).toEqual(ascii("AT\r"))
    expect(await first.ended).toBe("fin")
    await eventually(() => expect(all.served().tunnels[0]?.clients).toMatchObject([{ hasControl: true }]))
    next.socket.destroy()
  })
})

/** What a client sends before it vanishes. */
const manners = [
  [...willComPort, ...question, 0x41],
  [...willComPort, ...halfSubnegotiation],
  [...willComPort, ...setBaudRate9600, ...Array.from({ length: 10_000 }, () => 0x42)],
  [...willComPort, ...suspend, ...question, 0x43],
] as const

test.each(["exclusive", "shared"] as const)(
  "200 clients that vanish in the middle of everything leave nothing behind, and cost one beside them nothing: %s",
  async (control) => {
    const warnings: Error[] = []
    const onWarning = (warning: Error) => warnings.push(warning)
    process.on("warning", onWarning)
    onTestFinished(() => void process.off("warning", onWarning))
    const tunnels = [rfc2217Tunnel({ control, maxClients: 1_000, restoreSettings: true }), rawTunnel()]
    await using running = await startTestAll({}, { tunnels })
    const { all, pty } = running
    const countResources = () => readdirSync("/proc/self/fd").length + process.getActiveResourcesInfo().length
    const vanish = async (index: number) => {
      const socket = connect({ host: "127.0.0.1", port: portOf(all) })
      socket.on("error", () => {})
      await once(socket, "connect")
      socket.write(Uint8Array.from(manners[index % manners.length]!))
      await pause(index % 7)
      if (index % 3 > 0) socket.resetAndDestroy()
      else socket.end().resume()
      await pause(20)
      socket.destroy()
    }
    // A connection may be over for its client before it is accepted.
    const allGone = (clients: number) =>
      eventually(
        () =>
          expect(all.served().tunnels[0]).toMatchObject({
            clientCount: 0,
            totals: { clients, refusedClients: 0 },
          }),
        { timeoutMs: 20_000 },
      )
    const beside = await connectRaw(portOf(all, 1))
    await eventually(async () => {
      await pty.write(Uint8Array.of(0xaa))
      expect(beside.received).toBeGreaterThan(0)
    })
    await vanish(2)
    await allGone(1)
    const before = countResources()
    const block = Uint8Array.from({ length: 4_096 }, (_, at) => at % 0xaa)
    let blocks = 0
    let isFlooding = true
    const flooding = (async () => {
      for (; isFlooding; blocks++) {
        await pty.write(block)
        await pause(5)
      }
    })()
    for (let at = 0; at < 200; at += 20)
      await Promise.all(Array.from({ length: 20 }, (_, index) => vanish(at + index)))
    await allGone(201)
    isFlooding = false
    await flooding
    const seen = await beside.read(beside.received)
    const rest = blocks * block.byteLength + seen.lastIndexOf(0xaa) + 1 - seen.byteLength
    const stream = Buffer.concat([seen.subarray(seen.lastIndexOf(0xaa) + 1), await beside.read(rest)])
    for (let at = 0; at < stream.byteLength; at += block.byteLength)
      expect(Buffer.compare(stream.subarray(at, at + block.byteLength), block)).toBe(0)
    await eventually(() => expect(countResources() - before).toBeLessThan(8))
    expect(warnings).toEqual([])
    await eventually(() =>
      expect(stateOf(running, "pty")).toMatchObject({ settings: { baudRate: 115_200 }, lease: null }),
    )
    beside.socket.destroy()
  },
)

/** A device that takes a byte each millisecond, so that much is always on its way to it, and a client of its tunnel. */
async function startReplug(changes: Partial<Rfc2217Tunnel>) {
  const plug = createPtySocket()
  onTestFinished(() => plug[Symbol.asyncDispose]())
  const first = await plug.plugIn()
  const slow = { ...deviceAt(plug.path), charDelayMs: 1 }
  const running = await startTunnel({ device: "local/slow", ...changes }, { slow })
  onTestFinished(() => running[Symbol.asyncDispose]())
  await untilOnline(running, "slow")
  const client = await connectRaw(portOf(running.all))
  client.socket.write(Uint8Array.from([...willComPort, ...question]))
  await client.read(openingSize + modemState.length)
  expect([...(await client.read(answer.length))]).toEqual(answer)
  const tunnel = () => running.all.served().tunnels[0]!
  return { running, plug, first, client, tunnel }
}

/** The next modem state that the client is told. */
async function nextModemState(client: RawClient): Promise<number> {
  const told = await client.read(modemState.length)
  expect([...told.subarray(0, 4)]).toEqual(modemState.slice(0, 4))
  return told[4] ?? 0
}

describe("a device that is unplugged and comes back", () => {
  test("leaves a client of which all is written connected and in control", async () => {
    const { running, plug, client, tunnel } = await startReplug({ onUnplug: "keep" })
    const { devices } = running.all.devices
    await plug.unplug()
    await untilOffline(running.all, "local/slow")
    expect(await nextModemState(client)).toBe(0x0b)
    const second = await plug.plugIn()
    await eventually(() => expect(devices.get("local/slow")?.online).toBe(true))
    expect((await nextModemState(client)) & 0xf0).toBe(0xb0)
    // The client cannot see what became of its bytes; a pause is what tells old from new.
    await pause(200)
    client.socket.write(Uint8Array.from([...setBaudRate9600, ...ascii("new")]))
    expect(await second.read(3)).toEqual(ascii("new"))
    expect(stateOf(running, "slow")?.settings.baudRate).toBe(9_600)
    await client.read(setBaudRate9600.length)
    await second.write(ascii("hello"))
    expect(await client.read(5)).toEqual(ascii("hello"))
    expect(tunnel().clients).toMatchObject([{ refusedBytes: 0, hasControl: true }])
    client.socket.destroy()
  })

  test("gets nothing of what was on its way, whose client is reset", async () => {
    const { running, plug, first, client, tunnel } = await startReplug({ onUnplug: "keep" })
    const { devices } = running.all.devices
    client.socket.write(new Uint8Array(1024 * 1024).fill(0x61))
    await first.read(100)
    await plug.unplug()
    const second = await plug.plugIn()
    expect(await client.ended).toBe("reset")
    await eventually(() => expect(devices.get("local/slow")?.online).toBe(true))
    await eventually(() => expect(tunnel().clientCount).toBe(0))
    const again = await connectRaw(portOf(running.all))
    again.socket.write(ascii("new"))
    expect(await second.read(3)).toEqual(ascii("new"))
    again.socket.destroy()
  })

  test("ends its client's connection with onUnplug: close, behind the last bytes", async () => {
    const { plug, first, client } = await startReplug({ onUnplug: "close" })
    await first.write(ascii("last words"))
    expect(await client.read(10)).toEqual(ascii("last words"))
    await plug.unplug()
    expect(await client.ended).toBe("fin")
  })
})
