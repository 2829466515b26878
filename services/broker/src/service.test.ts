import { once } from "node:events"
import { connect as connectTcp, type Socket } from "node:net"
import { AppError } from "@serialcast/contract"
import { concatBytes, systemClock } from "@serialcast/primitives"
import { createLogger, createMetrics, type ServiceDeps } from "@serialcast/service-kit"
import { checkCounting, countingBytes, createTemporaryFolder, eventually } from "@serialcast/testkit"
import { connectAsync, type IClientOptions, MqttClient, connect as openMqtt } from "mqtt"
import { afterEach, expect, test } from "vitest"
import { WebSocket } from "ws"
import { createBroker, type RunningBroker } from "./service.ts"

const token = "a-token-of-some-length"
const anyPort = { host: "127.0.0.1", port: 0 }
const cleanup: (() => Promise<unknown> | void)[] = []

afterEach(async () => {
  for (const step of cleanup.splice(0).toReversed()) await step()
})

interface Started {
  readonly broker: RunningBroker
  readonly deps: ServiceDeps
  readonly url: string
}

async function start({
  clientBufferBytes = 12 * 1024 * 1024,
  ...overrides
}: Partial<ServiceDeps> & { clientBufferBytes?: number } = {}): Promise<Started> {
  const deps: ServiceDeps = {
    log: createLogger({ name: "broker", level: "silent" }),
    clock: systemClock,
    metrics: createMetrics(),
    token: null,
    ...overrides,
  }
  const folder = createTemporaryFolder()
  cleanup.push(() => folder[Symbol.dispose]())
  const config = {
    broker: {
      listen: anyPort,
      websocket: anyPort,
      host: null,
      url: null,
      root: "serialcast",
      clientBufferBytes,
      dir: folder.path,
      syncMs: 1_000,
    },
    access: { open: false, tokenFile: null, hosts: [] },
  }
  const broker = await createBroker(config, deps)
  cleanup.push(() => broker.stop())
  return { broker, deps, url: `mqtt://127.0.0.1:${broker.address.port}` }
}

async function connect(url: string, options: IClientOptions = {}): Promise<MqttClient> {
  const client = await connectAsync(url, { reconnectPeriod: 0, ...options })
  client.on("error", () => undefined)
  cleanup.push(() => client.endAsync(true))
  return client
}

async function metric({ deps }: Started, name: string): Promise<string | undefined> {
  const lines = (await deps.metrics.metrics()).split("\n")
  return lines.find((line) => line.startsWith(`serialcast_broker_${name} `))?.split(" ")[1]
}

function nextMessage(client: MqttClient): Promise<{ topic: string; payload: Uint8Array; retain: boolean }> {
  return new Promise((resolve) => {
    client.once("message", (topic, payload, { retain }) => resolve({ topic, payload, retain }))
  })
}

function closeOf(client: Pick<Socket | MqttClient, "once">): Promise<void> {
  return new Promise((resolve) => {
    client.once("close", () => resolve())
  })
}

const webSocketUrl = ({ broker }: Started) => `ws://127.0.0.1:${broker.websocketAddress.port}`

test("a frozen subscriber is cut off, and one beside it gets every message in order", async () => {
  const started = await start({ clientBufferBytes: 1024 * 1024 })
  const frozen = await connect(started.url)
  await frozen.subscribeAsync("stream")
  const healthy = await connect(started.url)
  await healthy.subscribeAsync("stream")
  const received: Uint8Array[] = []
  healthy.on("message", (_topic, payload) => received.push(payload))
  const publisher = await connect(started.url)
  const messageBytes = 60_000
  let published = 0
  frozen.stream.pause()
  // The kernel's buffers take some megabytes first; how many does not matter.
  while ((await metric(started, 'clients_cut_total{code="slow_client"}')) !== "1") {
    expect(published).toBeLessThan(2_000)
    for (let count = 0; count < 10; count++, published++) {
      await publisher.publishAsync(
        "stream",
        Buffer.from(countingBytes(published * messageBytes, messageBytes)),
      )
    }
    await eventually(() => expect(received.length).toBe(published), { intervalMs: 1 })
  }
  expect(checkCounting(concatBytes(received), 0)).toBeUndefined()
  expect(await metric(started, "held_bytes")).toBe("0")
  expect(await metric(started, "clients")).toBe("2")
})

test("with a token, it is the password of everyone who comes over the network", async () => {
  const started = await start({ token })
  const open = (options: IClientOptions) => connect(started.url, options)
  await expect(open({ username: "any", password: token })).resolves.toBeInstanceOf(MqttClient)
  await expect(open({ username: "any", password: "wrong" })).rejects.toMatchObject({ code: 4 })
  await expect(open({})).rejects.toMatchObject({ code: 5 })
  // Counted right after the answer.
  await eventually(async () =>
    expect(await metric(started, 'clients_cut_total{code="unauthorized"}')).toBe("2"),
  )
})

test("wrong passwords make one log line a minute and lock nobody else out of the same address", async () => {
  const lines: string[] = []
  const log = createLogger({
    name: "broker",
    level: "warn",
    pretty: false,
    destination: { write: (line: string) => void lines.push(line) },
  })
  const started = await start({ token, log })
  for (let attempt = 0; attempt < 12; attempt++) {
    await expect(connect(started.url, { username: "any", password: "wrong" })).rejects.toThrow()
  }
  await expect(connect(started.url, { username: "any", password: token })).resolves.toBeInstanceOf(MqttClient)
  expect(await metric(started, 'clients_cut_total{code="unauthorized"}')).toBe("10")
  expect(await metric(started, 'clients_cut_total{code="too_many_attempts"}')).toBe("2")
  expect(lines).toHaveLength(1)
})

test("a packet above 256 KiB ends its sender's connection, one of 64 KiB passes", async () => {
  const { url } = await start()
  const client = await connect(url)
  await client.subscribeAsync("topic")
  const message = nextMessage(client)
  await client.publishAsync("topic", Buffer.alloc(64 * 1024, 7))
  expect((await message).payload).toHaveLength(64 * 1024)
  const closed = closeOf(client)
  client.publish("topic", Buffer.alloc(256 * 1024))
  await closed
})

test("a retained call is delivered but not retained; a retained state is, also for a wildcard", async () => {
  const { url } = await start()
  const client = await connect(url)
  const early = await connect(url)
  const seen: string[] = []
  early.on("message", (topic, _payload, { retain }) => seen.push(`${topic} ${retain}`))
  await early.subscribeAsync("serialcast/#", { qos: 1 })
  const topics = ["serialcast/gw/dev/tx", "serialcast/gw/dev/call/write/me", "serialcast/gw/dev/state"]
  for (const topic of topics) await client.publishAsync(topic, "x", { retain: true, qos: 1 })
  await eventually(() => expect(seen).toEqual(topics.map((topic) => `${topic} false`)))
  const late = await connect(url)
  const retained = nextMessage(late)
  await late.subscribeAsync("serialcast/#", { qos: 1 })
  expect(await retained).toMatchObject({ topic: "serialcast/gw/dev/state", retain: true })
  const next = nextMessage(late)
  await late.publishAsync("serialcast/end", "")
  expect(await next).toMatchObject({ topic: "serialcast/end" })
})

test("the will is published when a client's socket is cut, not when it says good-bye", async () => {
  const { url } = await start()
  const watcher = await connect(url)
  await watcher.subscribeAsync("will/#")
  const seen = nextMessage(watcher)
  const polite = await connect(url, {
    will: { topic: "will/polite", payload: Buffer.of(1), qos: 0, retain: false },
  })
  await polite.endAsync()
  const cut = await connect(url, {
    will: { topic: "will/cut", payload: Buffer.of(2), qos: 0, retain: false },
  })
  cut.stream.destroy()
  expect(await seen).toMatchObject({ topic: "will/cut" })
})

test("everything that a client published before it left is delivered", async () => {
  const { url } = await start()
  const subscriber = await connect(url)
  await subscriber.subscribeAsync("topic")
  const received: number[] = []
  subscriber.on("message", (_topic, payload) => received.push(Number(payload)))
  const publisher = await connect(url)
  const numbers = Array.from({ length: 5_000 }, (_, number) => number)
  for (const number of numbers) publisher.publish("topic", String(number))
  await publisher.endAsync()
  await eventually(() => expect(received).toHaveLength(numbers.length))
  expect(received).toEqual(numbers)
})

test.each([0, 1] as const)(
  "what a client publishes with QoS %i is delivered in order, whether it is retained or not",
  async (qos) => {
    const { url } = await start()
    const subscriber = await connect(url)
    await subscriber.subscribeAsync("topic", { qos })
    const received: number[] = []
    subscriber.on("message", (_topic, payload) => received.push(Number(payload)))
    const publisher = await connect(url)
    const numbers = Array.from({ length: 1_000 }, (_, number) => number)
    const publications = numbers.map((number) =>
      publisher.publishAsync("topic", String(number), { qos, retain: number % 3 === 0 }),
    )
    await Promise.all(publications)
    await eventually(() => expect(received).toHaveLength(numbers.length))
    expect(received).toEqual(numbers)
  },
)

test("a retained message reaches subscribers also when its client is gone before the disk has it", async () => {
  const { url, broker } = await start()
  const subscriber = await connect(url)
  await subscriber.subscribeAsync("#")
  const message = nextMessage(subscriber)
  const socket = connectTcp(broker.address.port, "127.0.0.1")
  cleanup.push(() => void socket.destroy())
  const read = once(socket, "data")
  // CONNECT with the client id "a"; then PUBLISH of "x" on "t", retained, QoS 1, and DISCONNECT at once (§3.1, §3.3, §3.14).
  socket.write(Uint8Array.of(0x10, 13, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 60, 0, 1, 0x61))
  await read
  socket.write(Uint8Array.of(0x33, 6, 0, 1, 0x74, 0, 7, 0x78, 0xe0, 0))
  expect(await message).toMatchObject({ topic: "t", payload: Buffer.from("x") })
})

test("publishing to $SYS ends the connection; subscribing to $share is refused", async () => {
  const { url } = await start()
  const client = await connect(url)
  await expect(client.subscribeAsync("$share/group/topic")).rejects.toThrow("Unspecified error")
  const closed = closeOf(client)
  client.publish("$SYS/x", "y")
  await closed
})

test.each([
  ["with clean session 0", 0x00, [0x20, 2, 0, 2]],
  ["with clean session 1", 0x02, [0x20, 2, 0, 0]],
])("a CONNECT without a client id and %s is answered as MQTT 3.1.1 says", async (_title, flags, connack) => {
  const { broker } = await start()
  const socket = connectTcp(broker.address.port, "127.0.0.1")
  cleanup.push(() => void socket.destroy())
  // CONNECT of protocol MQTT 4, these flags, keep-alive 60 s, and a client id of no bytes (§3.1).
  socket.write(Uint8Array.of(0x10, 12, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, flags, 0, 60, 0, 0))
  const [answer] = (await once(socket, "data")) as [Uint8Array]
  expect([...answer]).toEqual(connack)
  if (flags === 0) await once(socket, "close")
})

test("a client with a will above 64 KiB is not let in, one with a smaller one is", async () => {
  const { url } = await start()
  const will = (bytes: number) =>
    ({ topic: "t", payload: Buffer.alloc(bytes), qos: 0, retain: true }) as const
  await expect(connect(url, { will: will(64 * 1024) })).rejects.toThrow()
  await expect(connect(url, { will: will(60_000) })).resolves.toBeInstanceOf(MqttClient)
})

test("a session is never kept, and the client is told", async () => {
  const { url } = await start()
  const options = { clientId: "lasting", clean: false }
  const first = await connect(url, options)
  await first.subscribeAsync("topic", { qos: 1 })
  await first.endAsync()
  const again = openMqtt(url, { ...options, reconnectPeriod: 0 })
  const connack = await new Promise((resolve) => again.once("connect", resolve))
  expect(connack).toMatchObject({ sessionPresent: false })
  await again.endAsync(true)
})

test("MQTT over WebSocket carries large messages, and needs the password as TCP does", async () => {
  const started = await start({ token })
  const client = await connect(webSocketUrl(started), { username: "page", password: token })
  await client.subscribeAsync("topic")
  const bytes = countingBytes(0, 64_000)
  const message = nextMessage(client)
  await client.publishAsync("topic", Buffer.from(bytes))
  expect(checkCounting((await message).payload, 0)).toBeUndefined()
  await expect(connect(webSocketUrl(started), { password: "wrong", username: "x" })).rejects.toMatchObject({
    code: 4,
  })
})

test.each([
  ["a page of another site", ["mqtt"], { origin: "http://evil.example" }, 403],
  ["a rebound name", ["mqtt"], { host: "evil.example" }, 421],
  ["a client without the sub-protocol", [], {}, 400],
])("%s cannot open a WebSocket", async (_, protocols, headers, status) => {
  const socket = new WebSocket(webSocketUrl(await start()), protocols, { headers })
  socket.on("error", () => undefined)
  const [, response] = await once(socket, "unexpected-response")
  expect(response.statusCode).toBe(status)
  expect(response.headers["content-type"]).toBe("application/problem+json")
})

test("pages that are refused are counted by why", async () => {
  const started = await start()
  for (let n = 0; n < 3; n++) {
    const socket = new WebSocket(webSocketUrl(started), ["mqtt"], {
      headers: { origin: "http://evil.example" },
    })
    socket.on("error", () => undefined)
    await once(socket, "unexpected-response")
  }
  expect(await started.deps.metrics.metrics()).toContain(
    'serialcast_http_refusals_total{listener="mqtt-websocket",code="cross_site"} 3',
  )
})

test("a page of this machine may open a WebSocket; a text frame closes it", async () => {
  const started = await start()
  const { port } = started.broker.websocketAddress
  const socket = new WebSocket(webSocketUrl(started), ["mqtt"], {
    headers: { origin: `http://127.0.0.1:${port}` },
  })
  await once(socket, "open")
  socket.send("text")
  expect((await once(socket, "close"))[0]).toBe(1003)
})

test("a plain HTTP request learns what is spoken here", async () => {
  const started = await start()
  const response = await fetch(`http://127.0.0.1:${started.broker.websocketAddress.port}/`)
  expect([response.status, ((await response.json()) as { detail: string }).detail]).toEqual([
    400,
    "Expected a WebSocket with the sub-protocol mqtt.",
  ])
})

test("stop ends clients and silent connections of every kind, and is no longer ready", async () => {
  const started = await start()
  const { broker, url } = started
  const clients = [await connect(url), await connect(webSocketUrl(started))]
  const silent: Socket = connectTcp(broker.address)
  await once(silent, "connect")
  const closed = [silent, ...clients].map(closeOf)
  silent.resume()
  await broker.stop()
  await Promise.all(closed)
  expect(broker.isReady()).toBe(false)
  await expect(connect(url)).rejects.toThrow("ECONNREFUSED")
})

test("when one listener cannot be had, nothing is left behind", async () => {
  const { broker } = await start()
  const config = {
    broker: {
      listen: anyPort,
      websocket: broker.websocketAddress,
      host: null,
      url: null,
      root: "r",
      clientBufferBytes: 65_536,
      dir: null,
      syncMs: 1_000,
    },
    access: { open: false, tokenFile: null, hosts: [] },
  }
  const deps = {
    log: createLogger({ name: "broker", level: "silent" }),
    clock: systemClock,
    metrics: createMetrics(),
    token: null,
  }
  const failed = await createBroker(config, deps).catch((error: unknown) => error)
  expect(failed).toBeInstanceOf(AppError)
  expect(failed).toMatchObject({ code: "listen_failed" })
})
