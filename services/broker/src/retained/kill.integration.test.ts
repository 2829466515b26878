import { fork } from "node:child_process"
import { once } from "node:events"
import { rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { createDeferred } from "@serialcast/primitives"
import {
  createTemporaryFolder,
  eventually,
  freePort,
  type SeededRandom,
  seededRandom,
} from "@serialcast/testkit"
import { connectAsync, type MqttClient } from "mqtt"
import { expect, onTestFinished, test } from "vitest"

interface TestBroker {
  readonly url: string
  readonly dir: string
  start(): { kill(signal: NodeJS.Signals): Promise<void>; readonly log: () => string }
}

/** A broker that can be killed and started again, at one port and on one folder. */
async function createTestBroker(): Promise<TestBroker> {
  const folder = createTemporaryFolder()
  onTestFinished(() => folder[Symbol.dispose]())
  const port = await freePort()
  const dir = join(folder.path, "broker")
  const env = {
    PATH: process.env["PATH"],
    SERIALCAST_ADMIN_LISTEN: "127.0.0.1:0",
    SERIALCAST_BROKER_LISTEN: `127.0.0.1:${port}`,
    SERIALCAST_BROKER_WEBSOCKET: "127.0.0.1:0",
    SERIALCAST_BROKER_DIR: dir,
  }
  return {
    dir,
    url: `mqtt://127.0.0.1:${port}`,
    start() {
      const execArgv = ["--conditions=@serialcast/source", "--import", import.meta.resolve("tsx")]
      const stdio: ["ignore", "ignore", "pipe", "ipc"] = ["ignore", "ignore", "pipe", "ipc"]
      const child = fork(new URL("../main.ts", import.meta.url), { cwd: folder.path, execArgv, env, stdio })
      let log = ""
      child.stderr?.setEncoding("utf8").on("data", (text: string) => (log += text))
      const exited = once(child, "exit")
      const kill = async (signal: NodeJS.Signals) => {
        child.kill(signal)
        await exited
      }
      onTestFinished(() => kill("SIGKILL"))
      return { kill, log: () => log }
    },
  }
}

async function connect({ url }: TestBroker, options: object = {}): Promise<MqttClient> {
  return await eventually(
    async () => {
      const client = await connectAsync(url, { reconnectPeriod: 0, ...options }, false)
      client.on("error", () => {})
      onTestFinished(() => void client.end(true))
      return client
    },
    { intervalMs: 100 },
  )
}

/** Everything that is retained: it comes before what is published behind the subscription. */
async function readRetained(broker: TestBroker): Promise<Map<string, string>> {
  const client = await connect(broker)
  const found = new Map<string, string>()
  let isOver = false
  client.on("message", (topic, payload, { retain }) => {
    if (retain) found.set(topic, payload.toString())
    isOver ||= topic === "end"
  })
  await client.subscribeAsync("#")
  const size = () => found.size
  // The stored ones and live ones may overtake each other a little.
  for (let before = -1; before !== size(); ) {
    before = size()
    isOver = false
    await client.publishAsync("end", "", { qos: 1 })
    await eventually(() => expect(isOver).toBe(true))
  }
  await client.endAsync(true)
  return found
}

/** What was published on a topic, from the last message on that was acknowledged. An empty one clears it. */
type Published = Map<string, { readonly payload: string }[]>

/** Publishes 2,000 retained messages, some in one read of the broker and some alone, and calls `onAcknowledged` for each. */
function publishMany(
  client: MqttClient,
  { random, published }: { readonly random: SeededRandom; readonly published: Published },
  onAcknowledged: () => void,
): void {
  let left = 2_000
  const publishOne = () => {
    const topic = `home/${Math.floor(random.next() * 50)}`
    const mine = { payload: random.next() < 0.2 ? "" : String(random.next()) }
    published.set(topic, [...(published.get(topic) ?? [{ payload: "" }]), mine])
    client.publish(topic, mine.payload, { qos: 1, retain: true }, (error) => {
      if (error) return
      const since = published.get(topic) ?? []
      published.set(topic, since.slice(Math.max(0, since.indexOf(mine))))
      onAcknowledged()
    })
  }
  const publishSome = () => {
    for (let burst = random.next() * 20; burst > 0 && left > 0; burst--, left--) publishOne()
    if (left > 0 && client.connected) setImmediate(publishSome)
  }
  publishSome()
}

test("kill -9 in the middle of 2,000 retained messages loses none that was acknowledged, and no clearing, time after time", async () => {
  const broker = await createTestBroker()
  const random = seededRandom()
  let published: Published = new Map()
  for (let round = 0; round < 4; round++) {
    const running = broker.start()
    const found = await readRetained(broker)
    for (const [topic, possible] of published) {
      const payload = found.get(topic) ?? ""
      expect(possible, `seed ${random.seed}, round ${round}, ${topic}`).toContainEqual({ payload })
    }
    published = new Map([...found].map(([topic, payload]) => [topic, [{ payload }]]))
    const client = await connect(broker)
    let toKill = 200 + Math.floor(random.next() * 1_500)
    const killed = createDeferred<void>()
    publishMany(client, { random, published }, () => {
      if (--toKill === 0) void running.kill("SIGKILL").then(killed.resolve)
    })
    await killed.promise
  }
}, 240_000)

test("a client that does not come back after kill -9 of the broker has its will retained", async () => {
  const broker = await createTestBroker()
  const first = broker.start()
  const will = { topic: "bridge/state", payload: Buffer.from("offline"), qos: 1, retain: true }
  const client = await connect(broker, { will })
  await client.publishAsync("bridge/state", "online", { qos: 1, retain: true })
  await client.publishAsync("serialcast/gone/uno/availability", "online", { qos: 1, retain: true })
  await client.publishAsync("serialcast/gone/uno/state", "{}", { qos: 1, retain: true })
  await first.kill("SIGKILL")
  broker.start()
  expect(Object.fromEntries(await readRetained(broker))).toEqual({
    "bridge/state": "offline",
    "serialcast/gone/uno/availability": "offline",
  })
})

test("with a file in its folder's place, messages are delivered and not acknowledged; once it is gone, they are kept", async () => {
  const broker = await createTestBroker()
  await writeFile(broker.dir, "")
  const running = broker.start()
  // It comes back, and sends again what was not acknowledged.
  const client = await connect(broker, { reconnectPeriod: 100 })
  const reader = await connect(broker)
  const heard: string[] = []
  reader.on("message", (topic) => heard.push(topic))
  await reader.subscribeAsync("#")
  let acknowledgements = 0
  client.publish("a/lamp", "on", { qos: 1, retain: true }, () => acknowledgements++)
  await client.publishAsync("serialcast/gw/uno/state", "{}", { qos: 1, retain: true })
  await client.publishAsync("a/event", "now", { qos: 1 })
  await eventually(() => expect(heard).toEqual(["a/lamp", "serialcast/gw/uno/state", "a/event"]))
  expect(acknowledgements).toBe(0)
  expect([...(await readRetained(broker)).keys()]).toContain("a/lamp")
  expect(running.log().match(/the disk takes no retained messages/g)).toHaveLength(1)
  await rm(broker.dir)
  await eventually(() => expect(acknowledgements).toBe(1))
  await running.kill("SIGKILL")
  await client.endAsync(true)
  broker.start()
  expect(Object.fromEntries(await readRetained(broker))).toEqual({ "a/lamp": "on" })
})
