import { chmod, rm, symlink, writeFile } from "node:fs/promises"
import { basename, join } from "node:path"
import { eventually, openPty, type PtyDevice, seededRandom } from "@serialcast/testkit"
import { afterAll, beforeAll, expect, test } from "vitest"
import { type ComposeStack, startComposeStack } from "./compose-stack.ts"
import { type ConfigDir, createConfigDir } from "./config-dir.ts"
import { run } from "./program.ts"
import { readByCurl, readByMosquitto, readByWebSocket } from "./reader.ts"

// The port is a link beside the configuration file, because that folder is mounted anyway. It leads to a terminal of
// this machine, at the place where the container has them.
const config = "devices: { uno: { port: /config/uno } }\n"

const random = seededRandom()
let configDir: ConfigDir
let stack: ComposeStack
let device: PtyDevice
let deviceUrl: string

beforeAll(async () => {
  configDir = await createConfigDir()
  await writeFile(join(configDir.path, "serialcast.yaml"), config)
  stack = await startComposeStack(configDir.path)
  deviceUrl = `http://127.0.0.1:${await stack.hostPort("http-gateway", 8081)}/api/v1/devices/local/uno`
})

afterAll(async () => {
  await device?.[Symbol.asyncDispose]()
  await stack?.[Symbol.asyncDispose]()
  await configDir[Symbol.asyncDispose]()
})

async function plugIn(): Promise<void> {
  device = await openPty()
  // The container's user is none of this machine; a real port has a group that both know.
  await chmod(device.path, 0o666)
  await symlink(join("/terminals", basename(device.path)), join(configDir.path, "uno"))
}

async function unplug(): Promise<void> {
  await rm(join(configDir.path, "uno"))
  await device.unplug()
}

async function request(url: string, init: RequestInit = {}): Promise<unknown> {
  const response = await fetch(url, { ...init, headers: { Authorization: `Bearer ${stack.token}` } })
  return await response.json()
}

async function untilState(expected: object): Promise<void> {
  const check = async () => expect(await request(deviceUrl)).toMatchObject(expected)
  await eventually(check, { timeoutMs: 10_000, intervalMs: 100 })
}

test("a device that is not there is known, and the reason told", async () => {
  await untilState({ online: false, open: 0, problem: { code: "open_failed" } })
})

test("a device that appears later is opened without a restart", async () => {
  const before = (await stack.inspect()).get("serial-agent")
  await plugIn()
  await untilState({ online: true, open: 1, problem: null })
  const after = (await stack.inspect()).get("serial-agent")
  expect(after).toMatchObject({ RestartCount: 0, State: { StartedAt: before?.State.StartedAt } })
})

test("SSE, WebSocket and MQTT readers each get every byte of the device", async () => {
  const bytes = random.bytes(1024 * 1024)
  const socketUrl = `ws://127.0.0.1:${await stack.hostPort("console", 8080)}/ws?device=local/uno`
  await using curl = await readByCurl(`${deviceUrl}/stream`, stack.token)
  await using socket = await readByWebSocket(socketUrl, stack.token)
  const port = await stack.hostPort("broker", 1883)
  await using mosquitto = await readByMosquitto(port, stack.token, "serialcast/local/uno")
  const readers = [curl, socket, mosquitto]
  const [, ...received] = await Promise.all([
    device.write(bytes, { timeoutMs: 30_000 }),
    ...readers.map((reader) => reader.take(bytes.byteLength)),
  ])
  for (const got of received) expect(Buffer.compare(got, bytes), `seed ${random.seed}`).toBe(0)
})

test("writes by HTTP and by MQTT arrive at the device", async () => {
  const byHttp = random.bytes(256 * 1024)
  const posted = request(`${deviceUrl}/write`, { method: "POST", body: byHttp })
  expect(Buffer.compare(await device.read(byHttp.byteLength), byHttp), `seed ${random.seed}`).toBe(0)
  expect(await posted).toMatchObject({ device: "local/uno", bytes: byHttp.byteLength })

  const byMqtt = random.bytes(32 * 1024)
  const port = String(await stack.hostPort("broker", 1883))
  const publish = [
    "-p",
    port,
    "-u",
    "e2e",
    "-P",
    stack.token,
    "-t",
    "serialcast/local/uno/tx",
    "-q",
    "1",
    "-s",
  ]
  await run("mosquitto_pub", publish, { input: byMqtt })
  expect(Buffer.compare(await device.read(byMqtt.byteLength), byMqtt), `seed ${random.seed}`).toBe(0)
})

test("a device that is unplugged and plugged in again goes on", async () => {
  await unplug()
  await untilState({ online: false, open: 1 })
  await plugIn()
  await untilState({ online: true, open: 2 })
  await request(`${deviceUrl}/write`, { method: "POST", body: "again" })
  expect(new TextDecoder().decode(await device.read(5))).toBe("again")
})
