import { msSince, systemClock } from "@serialcast/primitives"
import { deviceAt } from "@serialcast/serial-agent"
import { eventually } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { connectRaw, portOf } from "./testing/raw-client.ts"
import { fast, startTunnel, stateOf, untilOnline } from "./testing/rfc2217-tunnel.ts"

const floodBytes = 50 * 1024
const comPort = (...body: number[]) => [0xff, 0xfa, 0x2c, ...body, 0xff, 0xf0]
const willComPort = [0xff, 0xfb, 0x2c]
/** A question that no flood asks, for the data bits, and its answer. */
const question = comPort(2, 0)
const answer = Buffer.from(comPort(0x66, 8))

const floods: Readonly<Record<string, readonly number[]>> = {
  breaks: [0xff, 0xf3],
  "breaks that begin and end": [...comPort(5, 5), ...comPort(5, 6)],
  "baud rates": [...comPort(1, 0, 0, 0x25, 0x80), ...comPort(1, 0, 0, 0x4b, 0)],
  "DTR on and off": [...comPort(5, 9), ...comPort(5, 8)],
  purges: [...comPort(12, 1), ...comPort(12, 2), ...comPort(12, 3)],
  "masks and polls": [
    ...comPort(10, 255),
    ...comPort(11, 0),
    ...comPort(11, 255),
    ...comPort(6),
    ...comPort(7),
  ],
  "pauses and resumptions": [...comPort(8), ...comPort(7), ...comPort(9)],
  "AYT, timing marks and options": [0xff, 0xf6, 0xff, 0xfd, 6, 0xff, 0xfd, 0x18, 0xff, 0xfb, 0x18],
  "COM-PORT left and joined": [0xff, 0xfc, 0x2c, 0xff, 0xfb, 0x2c],
  "names, long ones too": [...comPort(0), ...comPort(0, ...Array.from({ length: 2_000 }, () => 0x41))],
}

test.each(Object.entries(floods))(
  "50 KiB of %s hold up others for less than five seconds, and cost bounded memory; what follows is answered",
  async (_kind, unit) => {
    const devices = { modem: { ...deviceAt("sim:modem"), baudRate: fast } }
    await using running = await startTunnel({ device: "local/modem" }, devices)
    const { all } = running
    await untilOnline(running, "modem")
    const client = await connectRaw(portOf(all))
    let last = Buffer.alloc(0)
    client.socket.on("data", (bytes: Uint8Array) => {
      last = Buffer.concat([last.subarray(-16), bytes])
    })
    client.socket.write(Uint8Array.from(willComPort))
    await eventually(() => expect(stateOf(running, "modem")?.lease).not.toBeNull())
    const before = process.memoryUsage()
    const flood = Uint8Array.from(
      { length: floodBytes - (floodBytes % unit.length) },
      (_, at) => unit[at % unit.length]!,
    )
    client.socket.write(Buffer.concat([flood, Uint8Array.from([...willComPort, ...question])]))
    let worstMs = 0
    const isAnswered = () => last.includes(answer)
    const other = all.devices.device("local/pty")
    while (!isAnswered()) {
      const startMs = systemClock.monotonicMs()
      await other.write(Uint8Array.of(0x2e), { by: "test" })
      worstMs = Math.max(worstMs, msSince(systemClock, startMs))
      await new Promise(setImmediate)
    }
    // On a busy machine too: a flood of breaks, four times as long, took thirty seconds and 1.1 GB before.
    expect(worstMs).toBeLessThan(5_000)
    const after = process.memoryUsage()
    expect(after.rss - before.rss).toBeLessThan(200 * 1024 * 1024)
    client.socket.resetAndDestroy()
    await eventually(() => expect(all.served().tunnels[0]?.clientCount).toBe(0))
    // The break that lasts ends, and the next client has control at once.
    const next = await connectRaw(portOf(all))
    await eventually(() => expect(all.served().tunnels[0]?.clients[0]?.hasControl).toBe(true))
    next.socket.destroy()
  },
)
