import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { writeFileSync } from "node:fs"
import { connect, type Socket } from "node:net"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { createTemporaryFolder, eventually, freePort, openPty } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import { connectRaw } from "./testing/raw-client.ts"

const willComPort = [0xff, 0xfb, 0x2c]
const breakOn = [0xff, 0xfa, 0x2c, 5, 5, 0xff, 0xf0]
const setBaudRate9600 = [0xff, 0xfa, 0x2c, 1, 0, 0, 0x25, 0x80, 0xff, 0xf0]

/** Broker, agent and tunnels, each a process of its own, with a device that takes a byte each 5 ms. */
async function startProcesses() {
  const pty = await openPty()
  const folder = createTemporaryFolder()
  const [mqtt, websocket, raw, telnet] = await Promise.all([freePort(), freePort(), freePort(), freePort()])
  const file = join(folder.path, "serialcast.yaml")
  writeFileSync(
    file,
    `
broker: { listen: "127.0.0.1:${mqtt}", websocket: "127.0.0.1:${websocket}", dir: ${folder.path}/broker }
journal: { dir: ${folder.path}/journal }
discover: off
devices: { pty: { port: ${pty.path}, charDelayMs: 5 } }
tunnels:
  - { type: raw, listen: "127.0.0.1:${raw}", device: local/pty }
  - { type: rfc2217, listen: "127.0.0.1:${telnet}", device: local/pty, restoreSettings: true }
`,
  )
  const children: ChildProcess[] = []
  onTestFinished(async () => {
    for (const child of children.filter(
      ({ exitCode, signalCode }) => exitCode === null && signalCode === null,
    )) {
      const exited = once(child, "exit")
      child.kill("SIGKILL")
      await exited
    }
    await pty[Symbol.asyncDispose]()
    folder[Symbol.dispose]()
  })
  const start = async (service: string) => {
    const main = fileURLToPath(new URL(`../../../services/${service}/dist/main.js`, import.meta.url))
    const env = { PATH: process.env["PATH"], SERIALCAST_CONFIG: file, SERIALCAST_ADMIN_LISTEN: "127.0.0.1:0" }
    const child = spawn(process.execPath, [main], { env, stdio: ["ignore", "ignore", "pipe"] })
    children.push(child)
    let said = ""
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said += text
    })
    await eventually(() => expect(said).toContain('"msg":"started"'))
    return child
  }
  const broker = await start("broker")
  const agent = await start("serial-agent")
  const tunnels = await start("tcp-tunnel")
  return { pty, broker, agent, tunnels, raw, telnet }
}

/** A client that does not read. */
async function connectFrozen(port: number): Promise<Socket> {
  const socket = connect({ host: "127.0.0.1", port })
  socket.on("error", () => {})
  onTestFinished(() => void socket.destroy())
  await once(socket, "connect")
  return socket.pause()
}

test.each([
  { what: "the agent stands", frozen: ["agent"] },
  { what: "broker and agent stand", frozen: ["broker", "agent"] },
] as const)(
  "the process of the tunnels stops within 5 s while $what still, whatever its clients are about",
  async ({ frozen }) => {
    const processes = await startProcesses()
    const { pty, tunnels, raw, telnet } = processes
    const reader = await connectFrozen(raw)
    const probe = await connectRaw(raw)
    await eventually(async () => {
      await pty.write(Uint8Array.of(0x2e))
      expect(probe.received).toBeGreaterThan(0)
    })
    probe.socket.destroy()
    // More than the system takes for a client that does not read.
    await pty.write(new Uint8Array(8 * 1024 * 1024), { timeoutMs: 30_000 })
    const writer = await connectFrozen(raw)
    writer.write(new Uint8Array(50_000))
    await pty.read(10)
    const serial = await connectFrozen(telnet)
    serial.write(
      Uint8Array.from([
        ...willComPort,
        ...setBaudRate9600,
        ...breakOn,
        ...Array.from({ length: 5_000 }, () => 0x41),
      ]),
    )
    const half = await connectFrozen(raw)
    half.end("its end waits for the device")
    for (const name of frozen) processes[name].kill("SIGSTOP")
    const startMs = performance.now()
    tunnels.kill("SIGTERM")
    const [code] = await once(tunnels, "exit")
    expect([code, performance.now() - startMs < 5_000]).toEqual([0, true])
    for (const socket of [reader, writer, serial, half]) socket.destroy()
  },
)
