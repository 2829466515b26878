import { once } from "node:events"
import { setTimeout as sleep } from "node:timers/promises"
import { connectWebrepl, freePort, seededRandom } from "@serialcast/testkit"
import { WebSocket } from "ws"
import { median } from "../report/summary.ts"
import type { Gateway } from "../rig/gateway.ts"
import { nowNs } from "../rig/process-usage.ts"
import type { Rig } from "../rig/rig.ts"
import type { Row } from "../row.ts"
import { uartBytesPerSecond } from "./uart.ts"

const fileBytes = 200_000
const samples = 300
const pauseMs = 20
/** Keys on one line before it is given up. */
const lineKeys = 50

/** What a file takes to and from a board on a cable, and what its prompt feels like. */
export const boards: Row = {
  name: "boards",
  what: "a simulated MicroPython board at 115,200 baud: 200 kB put and got over HTTP, in percent of what the line carries; and a key at its prompt until its echo, by WebREPL and by the console's WebSocket, 300 times, 20 ms apart",
  figures: [
    { name: "put", unit: "%", isBetter: "higher", floor: 70, aim: 85 },
    { name: "get", unit: "%", isBetter: "higher", floor: 60, aim: 72 },
    {
      name: "WebREPL: key p50",
      unit: "ms",
      isBetter: "lower",
      floor: { times: 2, of: "console: key p50" },
      reference: "console: key p50",
    },
    { name: "console: key p50", unit: "ms", isBetter: "lower" },
  ],
  async run(rig) {
    const listen = `127.0.0.1:${await freePort()}`
    await using gateway = await rig.startGateway({
      ports: ["sim:micropython"],
      boards: [{ listen, device: "local/d0", password: { text: "secret" } }],
    })
    const shares = await transferFile(rig, gateway)
    return {
      ...shares,
      "console: key p50": await measureKeys(rig, await openConsole(gateway)),
      "WebREPL: key p50": await measureKeys(rig, await openWebrepl(listen)),
    }
  },
}

async function transferFile(rig: Rig, gateway: Gateway): Promise<{ put: number; get: number }> {
  const file = seededRandom(rig.seed ?? 1).bytes(rig.scaled(fileBytes))
  const url = (name: string) => `${gateway.httpUrl}/api/v1/devices/local/d0/files/${name}`
  // The board starts with the first byte to it, and the gateway learns what it can do.
  await expectOk(await fetch(url("first.bin"), { method: "PUT", body: file.subarray(0, 1_000) }))
  const begunNs = nowNs()
  await expectOk(await fetch(url("file.bin"), { method: "PUT", body: file }))
  const storedNs = nowNs()
  const got = new Uint8Array(await (await expectOk(await fetch(url("file.bin")))).arrayBuffer())
  const gotNs = nowNs()
  if (got.byteLength !== file.byteLength || got.some((byte, at) => byte !== file[at]))
    throw new Error("the file that came back is another one")
  const share = (ns: number) => (100 * file.byteLength) / (ns / 1e9) / uartBytesPerSecond
  return { put: share(storedNs - begunNs), get: share(gotNs - storedNs) }
}

async function expectOk(response: Response): Promise<Response> {
  if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`)
  return response
}

/** Somebody at the board's prompt. */
interface Typist extends Disposable {
  press(key: string): void
  /** Resolves when something came since the last call. */
  shown(): Promise<unknown>
}

async function measureKeys(rig: Rig, typist: Typist): Promise<number> {
  using _typist = typist
  const delaysMs: number[] = []
  for (let sample = 0; sample < rig.scaled(samples); sample++) {
    if (sample % lineKeys === 0) {
      typist.press("\u0003")
      await sleep(500)
    }
    await sleep(pauseMs)
    const shown = typist.shown()
    const pressedNs = nowNs()
    typist.press("a")
    await shown
    delaysMs.push((nowNs() - pressedNs) / 1e6)
  }
  return median(delaysMs) ?? Number.NaN
}

async function openConsole(gateway: Gateway): Promise<Typist> {
  const { port, target } = gateway.webSocket(0)
  const socket = new WebSocket(`ws://127.0.0.1:${port}${target}`, "serialcast.v1")
  await once(socket, "message")
  return {
    press: (key) => socket.send(new TextEncoder().encode(key)),
    // Text frames are states and receipts.
    shown: () =>
      new Promise((resolve) => {
        const look = (_data: unknown, isBinary: boolean) => {
          if (!isBinary) return
          socket.off("message", look)
          resolve(undefined)
        }
        socket.on("message", look)
      }),
    [Symbol.dispose]: () => socket.terminate(),
  }
}

async function openWebrepl(endpoint: string): Promise<Typist> {
  const client = await connectWebrepl(endpoint)
  await client.untilText("Password: ")
  client.sendText("secret\r")
  await client.untilText("WebREPL connected")
  return {
    press: (key) => client.sendText(key),
    shown: () => once(client.socket, "data"),
    [Symbol.dispose]: () => void client.socket.destroy(),
  }
}
