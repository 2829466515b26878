import { rmSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import { createBroker } from "@serialcast/broker"
import { systemClock } from "@serialcast/primitives"
import { createSerialAgent, deviceAt } from "@serialcast/serial-agent"
import { createLogger, createMetrics, loadConfig } from "@serialcast/service-kit"
import { createTemporaryFolder, eventually, openPty } from "@serialcast/testkit"
import { connectAsync } from "mqtt"
import { expect, onTestFinished, test } from "vitest"
import { startResourceServer, type TestResourceServer } from "../testing/start-resource-server.ts"
import { startTestAll, type TestAll } from "../testing/start-test-all.ts"

const encode = (text: string) => new TextEncoder().encode(text)
const own = (device = "local/pty") => ({
  devices: { [device]: { prefix: "@res", methods: ["GET"] as const } },
})

async function get(url: string, name: string, device = "local/pty") {
  const answer = await fetch(`${url}/devices/${device}/${name}`)
  return { status: answer.status, type: answer.headers.get("content-type"), body: await answer.text() }
}

const plain = (body: string) => ({ status: 200, type: "text/plain", body })

/** Who follows a device from now on does so by now: each of them has heard a line. */
async function untilFollowed(
  pty: TestAll["pty"],
  servers: readonly Pick<TestAll, "metrics">[],
): Promise<void> {
  let n = 0
  await eventually(async () => {
    await pty.write(encode(`@res /ready ${n++}\n`))
    for (const { metrics } of servers)
      expect(await metrics.metrics()).toMatch(/^serialcast_resource_lines_total\{/m)
  })
}

test("what a device prints is a resource below its own address, until it takes it away", async () => {
  await using all = await startTestAll({}, { resources: own() })
  const { pty, resourcesUrl: url } = all
  await untilFollowed(pty, [all])
  await pty.write(encode('boot\r\n@res /temp application/json {"c":21.5}\r\n@res /name a b\r\n'))
  await eventually(async () =>
    expect(await get(url, "temp")).toEqual({ status: 200, type: "application/json", body: '{"c":21.5}' }),
  )
  await eventually(async () => expect(await get(url, "name")).toEqual(plain("a b")))
  expect((await fetch(`${url}/devices/local/pty/temp`, { method: "PUT", body: "x" })).status).toBe(405)
  const listed = await fetch(`${url}/api/v1/resources?uriStart=/devices/local/pty/temp`)
  expect(await listed.json()).toMatchObject({ resources: [{ origin: "device", methods: ["GET"] }] })
  await pty.write(encode("@res -/temp\n@res /name c\n"))
  await eventually(async () => expect(await get(url, "name")).toEqual(plain("c")))
  expect(await get(url, "temp")).toMatchObject({ status: 404 })

  await pty.write(encode(`@res temp 1\n@res /tx 1\n@res /x ${"x".repeat(5_000)}\n@res /end 1\n`))
  await eventually(async () => expect(await get(url, "end")).toMatchObject({ status: 200 }))
  expect(await all.metrics.metrics()).toMatch(
    /^serialcast_resource_lines_total\{device="local\/pty",outcome="bad"\} 3$/m,
  )
})

test("a device has so many resources, and none where it is not configured", async () => {
  await using all = await startTestAll({}, { resources: { ...own(), maxUri: 1 } })
  const { pty, resourcesUrl: url } = all
  const { server } = await startResourceServer(all.mqttUrl)
  await untilFollowed(pty, [all])
  for (let n = 1; n < 100; n++) await pty.write(encode(`@res /${n} x\n`))
  await eventually(() => expect(server.store.size).toBe(100))
  await pty.write(encode("@res /one-more x\n@res /1 y\n"))
  await eventually(async () => expect(await get(url, "1")).toEqual(plain("y")))
  expect(await get(url, "one-more")).toMatchObject({ status: 404 })
  // They count for nobody else.
  const body = '{"uri":"/a"}'
  expect((await fetch(`${url}/api/v1/resources`, { method: "POST", body })).status).toBe(201)
})

/** Values that the broker was given for a resource, in order. */
async function published({ mqttUrl }: TestAll, name: string): Promise<readonly string[]> {
  const values: string[] = []
  const mqtt = await connectAsync(mqttUrl)
  onTestFinished(() => void mqtt.end(true))
  mqtt.on("message", (_topic, payload) => {
    values.push(payload.length === 0 ? "" : (JSON.parse(payload.toString()) as { readonly v: string }).v)
  })
  await mqtt.subscribeAsync(`serialcast/_resources/devices/local/pty/${name}`)
  return values
}

async function valueAt({ url }: TestResourceServer): Promise<unknown> {
  return (await get(url, "n")).body
}

test("two servers follow a device, and each line is done once; of a flood the last line stands, in both", async () => {
  await using all = await startTestAll()
  const { pty } = all
  const servers = [
    await startResourceServer(all.mqttUrl, own()),
    await startResourceServer(all.mqttUrl, own()),
  ]
  await untilFollowed(pty, servers)
  const values = await published(all, "n")
  const lines = Array.from({ length: 10 }, (_, n) => `${n}`)
  for (const line of lines) {
    await pty.write(encode(`@res /n ${line}\n`))
    for (const server of servers) await eventually(async () => expect(await valueAt(server)).toBe(line))
  }
  await eventually(() => expect(values).toEqual(lines))

  const startMs = performance.now()
  for (let n = 0; n < 500; n++) await pty.write(encode(`@res /n ${n % 7}\n@res -/n\n`))
  await pty.write(encode("@res /n the end\n"))
  for (const server of servers) await eventually(async () => expect(await valueAt(server)).toBe("the end"))
  // Each of the two changes it ten times a second at most.
  const most = 2 * (1 + (performance.now() - startMs) / 100)
  expect(values.length - lines.length).toBeLessThanOrEqual(most)
  await eventually(() => expect(values.at(-1)).toBe("the end"))
})

test("a device that is plugged in again goes on, and so does one whose broker was away, without a line lost", async () => {
  using folder = createTemporaryFolder()
  const path = join(folder.path, "port")
  const log = createLogger({ name: "test", level: "silent" })
  const deps = () => ({ log, clock: systemClock, metrics: createMetrics(), token: null })
  const env = { SERIALCAST_BROKER_LISTEN: "127.0.0.1:0", SERIALCAST_BROKER_WEBSOCKET: "127.0.0.1:0" }
  let broker = await createBroker(loadConfig({ env }), deps())
  const SERIALCAST_BROKER_LISTEN = `127.0.0.1:${broker.address.port}`
  const mqttUrl = `mqtt://${SERIALCAST_BROKER_LISTEN}`
  const agentEnv = {
    SERIALCAST_BROKER_URL: mqttUrl,
    SERIALCAST_DISCOVER: "off",
    SERIALCAST_JOURNAL_DIR: folder.path,
  }
  const config = { ...loadConfig({ env: agentEnv }), devices: { uno: deviceAt(path) } }
  const plugIn = async () => {
    const pty = await openPty()
    symlinkSync(pty.path, path)
    return pty
  }
  const agent = await createSerialAgent(config, deps())
  const follower = await startResourceServer(mqttUrl, own("local/uno"))
  const { url } = follower
  const isOnline = async () =>
    ((await (await fetch(`${url}/devices/local/uno/state`)).json()) as { readonly online: boolean }).online
  const first = await plugIn()
  await eventually(async () => expect(await isOnline()).toBe(true))
  first.releaseSlave()
  await untilFollowed(first, [follower])
  rmSync(path)
  await first.unplug()
  await eventually(async () => expect(await isOnline()).toBe(false))

  const second = await plugIn()
  await eventually(async () => expect(await isOnline()).toBe(true))
  second.releaseSlave()
  await second.write(encode("@res /plugged in\n"))
  await eventually(async () => expect(await get(url, "plugged", "local/uno")).toEqual(plain("in")))

  await broker.stop()
  await second.write(encode("@res /while away\n@res -/plugged\n"))
  broker = await createBroker(loadConfig({ env: { ...env, SERIALCAST_BROKER_LISTEN } }), deps())
  await eventually(async () => expect(await get(url, "while", "local/uno")).toEqual(plain("away")))
  await eventually(async () => expect(await get(url, "plugged", "local/uno")).toMatchObject({ status: 404 }))
  await agent.stop()
  await broker.stop()
  await second[Symbol.asyncDispose]()
})
