import { randomBytes } from "node:crypto"
import { chmod, chown, rm, symlink, writeFile } from "node:fs/promises"
import { connect, type Socket } from "node:net"
import { basename, join } from "node:path"
import { concatBytes } from "@serialcast/primitives"
import { eventually, openPty, type PtyDevice, seededRandom } from "@serialcast/testkit"
import { afterAll, beforeAll, expect, test } from "vitest"
import { type ComposeStack, dialoutGroup, startComposeStack } from "./compose-stack.ts"
import { type ConfigDir, createConfigDir } from "./config-dir.ts"
import { run } from "./program.ts"
import { readByCurl, readByMosquitto, readByWebSocket } from "./reader.ts"

// As udev does it: a link in the machine's /dev that comes and goes with the device.
const port = `/dev/serialcast-e2e-${randomBytes(4).toString("hex")}`

// What this user wants of the admin listener is not for containers, whose health check knows one place. Docker gives its
// networks addresses of these two ranges, and programs of this machine come from there.
const config = `
devices: { uno: { port: ${port} } }
admin: { listen: "127.0.0.1:19090" }
tunnels:
  - { type: raw, listen: "0.0.0.0:7001", device: local/uno, allow: [172.16.0.0/12, 192.168.0.0/16] }
`

const random = seededRandom()
let configDir: ConfigDir
let stack: ComposeStack
let deviceUrl: string

beforeAll(async () => {
  configDir = await createConfigDir()
  await writeFile(join(configDir.path, "serialcast.yaml"), config)
  stack = await startComposeStack(configDir.path)
  deviceUrl = `http://127.0.0.1:${await stack.hostPort("http-gateway", 8081)}/api/v1/devices/local/uno`
})

afterAll(async () => {
  await stack?.[Symbol.asyncDispose]()
  await configDir[Symbol.asyncDispose]()
})

/** Answers when the agent has opened it. Disposing unplugs it, and waits until the agent has noticed. */
async function plugIn(): Promise<Pick<PtyDevice, "read" | "write"> & AsyncDisposable> {
  const pty = await openPty()
  await chown(pty.path, 0, dialoutGroup)
  await chmod(pty.path, 0o660)
  // The terminals of this machine are at another place in the container, which hides /dev/pts.
  await symlink(join("/terminals", basename(pty.terminal)), port)
  const unplug = async () => {
    await rm(port)
    await pty.unplug()
  }
  try {
    await untilState({ online: true, problem: null })
  } catch (error) {
    await unplug()
    throw error
  }
  return {
    read: (...args) => pty.read(...args),
    write: (...args) => pty.write(...args),
    async [Symbol.asyncDispose]() {
      await unplug()
      await untilState({ online: false })
    },
  }
}

async function request(url: string, init: RequestInit = {}): Promise<unknown> {
  const response = await fetch(url, { ...init, headers: { Authorization: `Bearer ${stack.token}` } })
  return await response.json()
}

/** The next `count` bytes of a socket, which stays open. */
async function readAll(socket: Socket, count: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of socket.iterator({ destroyOnReturn: false })) {
    // A socket without an encoding gives bytes.
    parts.push(part as Uint8Array)
    size += (part as Uint8Array).byteLength
    if (size >= count) break
  }
  return concatBytes(parts)
}

async function untilState(expected: object): Promise<void> {
  const check = async () => expect(await request(deviceUrl)).toMatchObject(expected)
  await eventually(check, { timeoutMs: 10_000, intervalMs: 100 })
}

test("a device that is not there is known, and the reason told", async () => {
  await untilState({ online: false, problem: { code: "open_failed" } })
})

test("a device that appears later is opened without a restart", async () => {
  const before = (await stack.inspect()).get("serial-agent")
  await using _device = await plugIn()
  const after = (await stack.inspect()).get("serial-agent")
  expect(after).toMatchObject({ RestartCount: 0, State: { StartedAt: before?.State.StartedAt } })
})

test("SSE, WebSocket and MQTT readers each get every byte of the device", async () => {
  await using device = await plugIn()
  const bytes = random.bytes(1024 * 1024)
  const socketUrl = `ws://127.0.0.1:${await stack.hostPort("console", 8080)}/ws?device=local/uno`
  await using curl = await readByCurl(`${deviceUrl}/stream`, stack.token)
  await using socket = await readByWebSocket(socketUrl, stack.token)
  const brokerPort = await stack.hostPort("broker", 1883)
  await using mosquitto = await readByMosquitto(brokerPort, stack.token, "serialcast/local/uno")
  const readers = [curl, socket, mosquitto]
  const [, ...received] = await Promise.all([
    device.write(bytes, { timeoutMs: 30_000 }),
    ...readers.map((reader) => reader.take(bytes.byteLength)),
  ])
  for (const got of received) expect(Buffer.compare(got, bytes), `seed ${random.seed}`).toBe(0)
})

test("writes by HTTP and by MQTT arrive at the device", async () => {
  await using device = await plugIn()
  const byHttp = random.bytes(256 * 1024)
  const posted = request(`${deviceUrl}/write`, { method: "POST", body: byHttp })
  expect(Buffer.compare(await device.read(byHttp.byteLength), byHttp), `seed ${random.seed}`).toBe(0)
  expect(await posted).toMatchObject({ device: "local/uno", bytes: byHttp.byteLength })

  const byMqtt = random.bytes(32 * 1024)
  const broker = ["-p", String(await stack.hostPort("broker", 1883)), "-u", "e2e", "-P", stack.token]
  const publish = [...broker, "-t", "serialcast/local/uno/tx", "-q", "1", "-s"]
  await run("mosquitto_pub", publish, { input: byMqtt })
  expect(Buffer.compare(await device.read(byMqtt.byteLength), byMqtt), `seed ${random.seed}`).toBe(0)
})

test("a tunnel passes bytes both ways, and is listed with its client", async () => {
  await using device = await plugIn()
  const socket = connect(await stack.hostPort("tcp-tunnel", 7001), "127.0.0.1")
  try {
    const sent = random.bytes(64 * 1024)
    socket.write(sent)
    expect(Buffer.compare(await device.read(sent.byteLength), sent), `seed ${random.seed}`).toBe(0)
    const answer = random.bytes(64 * 1024)
    const received = readAll(socket, answer.byteLength)
    await device.write(answer)
    expect(Buffer.compare(await received, answer), `seed ${random.seed}`).toBe(0)
    const tunnel = {
      type: "raw",
      endpoint: "0.0.0.0:7001",
      device: "local/uno",
      problem: null,
      clientCount: 1,
    }
    const url = new URL("/api/v1/tunnels", deviceUrl).href
    await eventually(async () => expect(await request(url)).toMatchObject({ tunnels: [tunnel] }))
  } finally {
    socket.destroy()
  }
})

test("a device that is unplugged and plugged in again goes on", async () => {
  const before = await plugIn()
  await before[Symbol.asyncDispose]()
  await using device = await plugIn()
  await request(`${deviceUrl}/write`, { method: "POST", body: "again" })
  expect(new TextDecoder().decode(await device.read(5))).toBe("again")
})

test("an agent whose container is killed goes on in the same epoch, with every byte that it had read", async () => {
  await using device = await plugIn()
  const { epoch } = (await request(deviceUrl)) as { epoch: string }
  const sent = random.bytes(20_000)
  await device.write(sent)
  // Read, and shown, a moment ago: most of it is on no disk yet.
  await eventually(async () => expect(Buffer.compare(await readLast(sent.byteLength), sent)).toBe(0))
  await stack.compose("kill", "--signal", "SIGKILL", "serial-agent")
  await stack.compose("start", "serial-agent")
  await untilState({ online: true, epoch })
  expect(Buffer.compare(await readLast(sent.byteLength), sent), `seed ${random.seed}`).toBe(0)
})

async function readLast(bytes: number): Promise<Uint8Array> {
  const headers = { Authorization: `Bearer ${stack.token}` }
  const response = await fetch(`${deviceUrl}/history?from=-${bytes}`, { headers })
  return response.ok ? new Uint8Array(await response.arrayBuffer()) : new Uint8Array(0)
}
