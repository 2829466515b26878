import { mkdtemp, rm, symlink } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Duplex, duplexPair } from "node:stream"
import {
  type DeviceState,
  decodeReply,
  deviceStateSchema,
  parseJsonPayload,
  type Receipt,
} from "@serialcast/contract"
import type { DeviceClient, StreamEvent } from "@serialcast/device-stream"
import { concatBytes } from "@serialcast/primitives"
import {
  checkCounting,
  countingBytes,
  eventually,
  type MemoryBroker,
  openPty,
  type PtyDevice,
  seededRandom,
} from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import {
  call,
  startAgent,
  startBroker,
  startClient,
  startDeviceClient,
  untilState,
} from "./testing/test-agent.ts"

const isOnline = ({ online }: DeviceState) => online

/** A path that leads to whatever terminal is plugged in. */
async function socket() {
  const folder = await mkdtemp(join(tmpdir(), "serialcast-agent-"))
  onTestFinished(() => rm(folder, { recursive: true }))
  const path = join(folder, "port")
  const plugIn = async (): Promise<PtyDevice> => {
    const pty = await openPty()
    onTestFinished(() => pty[Symbol.asyncDispose]())
    await rm(path, { force: true })
    await symlink(pty.path, path)
    return pty
  }
  return { path, plugIn }
}

/** Reads a device until the test is over. */
function follow(client: DeviceClient, address: string) {
  const events: StreamEvent[] = []
  const ending = new AbortController()
  const reading = (async () => {
    for await (const event of client.device(address).read({ signal: ending.signal })) events.push(event)
  })()
  onTestFinished(async () => {
    ending.abort()
    await reading
  })
  return {
    events,
    get bytes() {
      return concatBytes(events.flatMap((event) => (event.kind === "bytes" ? [event.bytes] : [])))
    },
    get marks() {
      return events.flatMap((event) => (event.kind === "mark" ? [event.mark.kind] : []))
    },
    get isPositioned() {
      return events.length > 0
    },
  }
}

const statesOf = (memory: MemoryBroker, device: string) =>
  memory
    .published(`serialcast/local/${device}/state`)
    .map(({ payload, retain }) => ({ retain, state: parseJsonPayload(deviceStateSchema, payload) }))

test("a device's bytes reach services and anyone, and what is written reaches the device", async () => {
  const memory = await startBroker()
  const { path, plugIn } = await socket()
  const pty = await plugIn()
  await startAgent(() => memory.connect(), { uno: path })
  const client = await startDeviceClient(memory)
  await untilState(client, "local/uno", isOnline)
  const reader = follow(client, "local/uno")
  await eventually(() => expect(reader.isPositioned).toBe(true))
  await pty.write(countingBytes(0, 1_000_000))
  await eventually(() => expect(reader.bytes.byteLength).toBe(1_000_000))
  expect(checkCounting(reader.bytes, 0)).toBeUndefined()
  await eventually(() => {
    const bare = concatBytes(memory.published("serialcast/local/uno/rx").map(({ payload }) => payload))
    expect(bare.byteLength).toBe(1_000_000)
    expect(checkCounting(bare, 0)).toBeUndefined()
  })

  const sent = seededRandom(1).bytes(300_000)
  const [received, receipt] = await Promise.all([
    pty.read(sent.byteLength),
    client.device("local/uno").write(sent, { by: "test" }),
  ])
  expect(Buffer.compare(received, sent)).toBe(0)
  expect(receipt).toMatchObject({ bytes: 300_000 } satisfies Partial<Receipt>)
})

test("the state follows the device: absent, plugged in, unplugged, plugged in again", async () => {
  const memory = await startBroker()
  const { path, plugIn } = await socket()
  await startAgent(() => memory.connect(), { uno: path })
  const client = await startDeviceClient(memory)
  const absent = await untilState(client, "local/uno", ({ problem }) => problem?.code === "open_failed")
  expect(absent).toMatchObject({
    online: false,
    open: 0,
    configured: true,
    port: path,
    problem: { message: `${path} is not there; plug the device in or correct its port.` },
    rx: { oldest: 0, head: 0 },
  })
  const reader = follow(client, "local/uno")

  const first = await plugIn()
  const online = await untilState(client, "local/uno", isOnline)
  expect(online).toMatchObject({ open: 1, problem: null, epoch: absent.epoch })
  await first.write(countingBytes(0, 100))
  await eventually(() => expect(reader.bytes.byteLength).toBe(100))
  await first.unplug()
  await untilState(client, "local/uno", ({ problem }) => problem?.code === "open_failed")

  const second = await plugIn()
  await untilState(client, "local/uno", ({ open }) => open === 2)
  await second.write(countingBytes(100, 100))
  await eventually(() => expect(reader.bytes.byteLength).toBe(200))
  expect(checkCounting(reader.bytes, 0)).toBeUndefined()
  expect(reader.marks).toEqual(["opened", "closed", "opened"])

  const published = statesOf(memory, "uno")
  expect(published.every(({ retain, state }) => retain && state !== undefined)).toBe(true)
  const changes = published.map(({ state }) => `${state?.online} ${state?.problem?.code ?? "-"}`)
  expect(changes.filter((change, n) => change !== changes[n - 1])).toEqual([
    "false open_failed",
    "true -",
    "false device_offline",
    "false open_failed",
    "true -",
  ])
})

test("a write meant for the device before it was replugged is refused", async () => {
  const memory = await startBroker()
  const { path, plugIn } = await socket()
  const before = await plugIn()
  await startAgent(() => memory.connect(), { uno: path })
  const client = await startDeviceClient(memory)
  await untilState(client, "local/uno", isOnline)
  await before.unplug()
  const after = await plugIn()
  await untilState(client, "local/uno", ({ open, online }) => online && open === 2)
  const caller = await startClient(memory)
  const late = { id: "late", by: "test", bytes: Uint8Array.of(1), open: 1 }
  expect(await call(caller, "uno/call/write", late)).toMatchObject({ error: { code: "expired" } })
  await client.device("local/uno").write(Uint8Array.of(2), { by: "test" })
  expect(await after.read(1)).toEqual(Uint8Array.of(2))
  expect(after.received).toBe(1)
})

test("killing the broker loses no byte of a device that goes on sending", async () => {
  const memory = await startBroker()
  const { path, plugIn } = await socket()
  const pty = await plugIn()
  await startAgent(() => memory.connect(), { uno: path })
  const client = await startDeviceClient(memory)
  await untilState(client, "local/uno", isOnline)
  const reader = follow(client, "local/uno")
  await eventually(() => expect(reader.isPositioned).toBe(true))
  for (let part = 0; part < 20; part++) {
    await pty.write(countingBytes(part * 100_000, 100_000))
    if (part % 5 === 2) await memory.disconnectAll()
  }
  await eventually(() => expect(reader.bytes.byteLength).toBe(2_000_000))
  expect(checkCounting(reader.bytes, 0)).toBeUndefined()
  expect(reader.events.filter(({ kind }) => kind === "gap")).toEqual([])
})

test("without any configured device there are three to try", async () => {
  const memory = await startBroker()
  await startAgent(() => memory.connect(), {})
  const client = await startDeviceClient(memory)
  await untilState(client, "local/demo-sensor", isOnline)
  await untilState(client, "local/demo-micropython", isOnline)
  await untilState(client, "local/demo-echo", isOnline)
  const reader = follow(client, "local/demo-echo")
  await eventually(() => expect(reader.isPositioned).toBe(true))
  await client.device("local/demo-echo").write(Uint8Array.of(1, 2, 3), { by: "test" })
  await eventually(() => expect(reader.bytes).toEqual(Uint8Array.of(1, 2, 3)))
})

test("a port that is none refuses the start and leaves the other ports free", async () => {
  const memory = await startBroker()
  const { path, plugIn } = await socket()
  const pty = await plugIn()
  const started = startAgent(() => memory.connect(), { good: path, bad: "ttyUSB0" })
  await expect(started).rejects.toMatchObject({ code: "bad_config" })
  await startAgent(() => memory.connect(), { good: path })
  await untilState(await startDeviceClient(memory), "local/good", isOnline)
  expect(pty.received).toBe(0)
})

test("whoever asks is told the status and every state", async () => {
  const memory = await startBroker()
  await startAgent(() => memory.connect(), { one: "sim:echo", two: "sim:echo" })
  await untilState(await startDeviceClient(memory), "local/two", isOnline)
  const client = await startClient(memory)
  const answers: unknown[] = []
  onTestFinished(
    client.onReply((payload) => {
      const answer = decodeReply(payload)
      if (answer !== undefined && "reply" in answer) answers.push(answer.reply)
    }),
  )
  const ask = (text: string) => client.publish(client.topics.discover(), new TextEncoder().encode(text))
  for (const nonsense of ["", "{", "7", "null", '{"client":"#"}', '{"client":7}']) await ask(nonsense)
  await ask(JSON.stringify({ client: client.clientId }))
  await eventually(() => expect(answers).toHaveLength(3))
  expect(answers).toMatchObject([
    { id: "_discover", gateway: "local", status: { online: true, devices: ["one", "two"] } },
    { id: "_discover", gateway: "local", state: { device: "one", online: true } },
    { id: "_discover", gateway: "local", state: { device: "two", online: true } },
  ])
})

/** How often an agent asked whether its gateway's name is taken. */
const claimsOf = (memory: MemoryBroker) =>
  memory
    .published("serialcast/_discover")
    .filter(({ payload }) => Buffer.from(payload).includes('"serial-agent-')).length

test("of two agents that start as one gateway at once, one stays and its states stand, the other is silent", async () => {
  const memory = await startBroker()
  const ptys = await Promise.all([openPty(), openPty()])
  for (const pty of ptys) onTestFinished(() => pty[Symbol.asyncDispose]())
  const agents = await Promise.all(
    ptys.map((pty, n) => startAgent(() => memory.connect(), { uno: pty.path, [`only-${n}`]: "sim:echo" })),
  )
  // The one that is not heard asks for the name again and again.
  await eventually(() => expect(claimsOf(memory)).toBeGreaterThan(0))
  await eventually(() => expect(agents.filter((agent) => agent.isReady())).toHaveLength(1))
  const winner = agents.findIndex((agent) => agent.isReady())
  const client = await startDeviceClient(memory)
  await untilState(client, "local/uno", ({ port, online }) => online && port === ptys[winner]?.path)
  await untilState(client, `local/only-${winner}`, isOnline)
  await eventually(() => expect(client.devices.get(`local/only-${1 - winner}`)).toBeUndefined())

  const publisher = await startClient(memory)
  const tx = publisher.topics.device("tx", { gateway: "local", device: "uno" })
  await publisher.publish(tx, Uint8Array.of(7))
  expect(await ptys[winner]?.read(1)).toEqual(Uint8Array.of(7))
  const reply = await call(publisher, "uno/call/write", { id: "w", by: "test", bytes: Uint8Array.of(8) })
  expect(reply).toHaveProperty("receipt")
  expect(await ptys[winner]?.read(1)).toEqual(Uint8Array.of(8))
  expect(ptys[1 - winner]?.received).toBe(0)
})

test("a second agent with the same name neither announces nor answers until the first is gone", async () => {
  const memory = await startBroker()
  const first = await startAgent(() => memory.connect(), { mine: "sim:echo" })
  const client = await startDeviceClient(memory)
  await untilState(client, "local/mine", isOnline)
  const second = await startAgent(() => memory.connect(), { theirs: "sim:echo" })
  // Each attempt ends in a refusal; calls are answered by the one that has the device the whole time.
  const caller = await startClient(memory)
  while (claimsOf(memory) < 3) {
    const id = crypto.randomUUID()
    const reply = await call(caller, "mine/call/write", { id, by: "test", bytes: Uint8Array.of(1) })
    expect(reply).toHaveProperty("receipt")
  }
  expect(second.isReady()).toBe(false)
  expect(memory.published("serialcast/local/theirs/#")).toEqual([])
  const announced = memory
    .published("serialcast/local/status")
    .map(({ payload }) => Buffer.from(payload).toString())
    .filter((text) => text.includes('"online":true'))
  expect(new Set(announced)).toEqual(new Set([expect.stringContaining('"devices":["mine"]')]))
  await untilState(client, "local/mine", isOnline)

  await first.stop()
  await untilState(client, "local/theirs", isOnline)
  expect(second.isReady()).toBe(true)
})

test("a will that comes late does not leave a living agent offline", async () => {
  const memory = await startBroker()
  await startAgent(() => memory.connect(), { uno: "sim:echo" })
  const client = await startDeviceClient(memory)
  await untilState(client, "local/uno", isOnline)
  const other = await startClient(memory)
  await other.publish(other.topics.status("local"), new TextEncoder().encode('{"online":false}'))
  await eventually(() => {
    const last = memory.published("serialcast/local/status").at(-1)
    expect(Buffer.from(last?.payload ?? []).toString()).toContain('"online":true')
  })
})

test("a killed connection leaves the gateway offline, and the next one announces everything", async () => {
  const memory = await startBroker()
  const agent = await startAgent(() => memory.connect(), { uno: "sim:echo" })
  await eventually(() => expect(agent.isReady()).toBe(true))
  const before = memory.published("serialcast/local/+").length
  await memory.disconnectAll()
  await eventually(() => {
    const texts = memory.published("serialcast/local/status").slice(before)
    expect(texts.map(({ payload }) => JSON.parse(Buffer.from(payload).toString()).online)).toEqual([
      false,
      true,
    ])
  })
})

test("stopping answers every write that was accepted, and leaves the devices offline", async () => {
  const memory = await startBroker()
  const agent = await startAgent(() => memory.connect(), { slow: "sim:echo" })
  const client = await startDeviceClient(memory)
  await untilState(client, "local/slow", isOnline)
  // 50,000 bytes take more than four seconds on this wire.
  const outcomes = Array.from({ length: 5 }, () =>
    client
      .device("local/slow")
      .write(new Uint8Array(50_000), { by: "test" })
      .then(
        () => "written",
        (error: unknown) => (error as { code?: string }).code,
      ),
  )
  await eventually(() => expect(memory.published("serialcast/local/slow/call/write/#").length).toBe(5))
  await eventually(() => expect(memory.published("serialcast/local/slow/rx").length).toBeGreaterThan(0))
  // What the wire has not taken yet is refused, not waited for.
  await agent.stop()
  expect(await Promise.all(outcomes)).toEqual(["aborted", "expired", "expired", "expired", "expired"])
  const last = statesOf(memory, "slow").at(-1)?.state
  expect(last).toMatchObject({ online: false, problem: { code: "device_offline" } })
  const goodbye = memory.published("serialcast/local/status").at(-1)
  expect(Buffer.from(goodbye?.payload ?? []).toString()).toBe('{"online":false}')
})

test("stopping is over in five seconds when the broker takes nothing any more", async () => {
  const memory = await startBroker()
  let freeze = () => {}
  const connect = (): Duplex => {
    const [near, far] = duplexPair()
    const broker = memory.connect()
    far.pipe(broker)
    broker.pipe(far)
    near.once("close", () => broker.destroy())
    freeze = () => {
      far.unpipe(broker)
      broker.unpipe(far)
    }
    return near
  }
  const { path, plugIn } = await socket()
  const pty = await plugIn()
  const agent = await startAgent(connect, { uno: path })
  await untilState(await startDeviceClient(memory), "local/uno", isOnline)
  freeze()
  await pty.write(new Uint8Array(1_000_000))
  const startedMs = performance.now()
  await agent.stop()
  expect(performance.now() - startedMs).toBeLessThan(5_000)
})

test("an agent without a broker stops", async () => {
  const connect = () => {
    const [near] = duplexPair()
    near.destroy()
    return near
  }
  const agent = await startAgent(connect, { uno: "sim:echo" })
  expect(agent.isReady()).toBe(false)
  await agent.stop()
})
