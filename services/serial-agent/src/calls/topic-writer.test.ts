import { createTopics, maxWriteBytes } from "@serialcast/contract"
import { createMemoryJournal } from "@serialcast/journal"
import { defaultSettings } from "@serialcast/ports"
import { createLogger } from "@serialcast/service-kit"
import { eventually, FakeClock, openPty } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import { createCallees } from "../device/callees.ts"
import { RecordingPort } from "../testing/recording-port.ts"
import { startAgent, startBroker, startClient, startDeviceClient, untilState } from "../testing/test-agent.ts"
import { createTopicWriter } from "./topic-writer.ts"

const topic = "serialcast/local/uno/tx"

async function start(retained?: Uint8Array) {
  const pty = await openPty()
  onTestFinished(() => pty[Symbol.asyncDispose]())
  const memory = await startBroker()
  const client = await startClient(memory)
  if (retained !== undefined) await client.publish({ topic, qos: 1, retain: true }, retained)
  await startAgent(() => memory.connect(), { uno: pty.path })
  await untilState(await startDeviceClient(memory), "local/uno", ({ online }) => online)
  const publish = (bytes: Uint8Array, to = topic) =>
    client.publish({ topic: to, qos: 1, retain: false }, bytes)
  return { memory, pty, client, publish }
}

test("what is published on tx is written to the device, whole and in order", async () => {
  const { pty, publish } = await start()
  const writes = Array.from({ length: 20 }, (_, n) => new Uint8Array(5_000).fill(n))
  await Promise.all(writes.map((bytes) => publish(bytes)))
  const received = await pty.read(100_000)
  expect(Buffer.compare(received, Buffer.concat(writes))).toBe(0)
})

test("a write that the broker kept is ignored at every connect", async () => {
  const { memory, pty, publish } = await start(Uint8Array.of(0xee))
  await publish(Uint8Array.of(1))
  expect(await pty.read(1)).toEqual(Uint8Array.of(1))
  const client = await startDeviceClient(memory)
  await memory.disconnectAll()
  await eventually(() => expect(client.isConnected).toBe(true))
  await untilState(client, "local/uno", ({ online }) => online)
  await client.device("local/uno").write(Uint8Array.of(2), { by: "test" })
  expect(await pty.read(1)).toEqual(Uint8Array.of(2))
})

test("a write to a device that is not there disturbs nobody", async () => {
  const { pty, publish } = await start()
  await publish(Uint8Array.of(9), "serialcast/local/nano/tx")
  await publish(Uint8Array.of(1))
  expect(await pty.read(1)).toEqual(Uint8Array.of(1))
})

/** A writer to one device, closed at first, and what it logs: level and words. */
function startWriter() {
  const levels: string[] = []
  const tell = (level: string) => (fields: object) =>
    void levels.push(`${level} ${Object.values(fields).join(" ")}`)
  const log = { ...createLogger({ name: "test", level: "silent" }), warn: tell("warn"), debug: tell("debug") }
  const journal = createMemoryJournal({ clock: new FakeClock(), createEpoch: () => "00112233aabbccdd" })
  const deps = { journal, clock: new FakeClock(), onChange: () => {} }
  const callees = createCallees({ settings: defaultSettings }, deps)
  const topics = createTopics()
  const findDevice = (name: string) => (name === "uno" ? callees : undefined)
  const write = createTopicWriter({ topics, log, findDevice })
  const publish = async (device: string, payload = Uint8Array.of(1)) => {
    const { topic } = topics.device("tx", { gateway: "local", device })
    write({ topic, payload, retained: false })
    await new Promise(setImmediate)
  }
  return { callees, journal, levels, publish }
}

test("a write that is too large is a mark, and nothing of it is written", async () => {
  const { callees, journal, publish } = startWriter()
  const port = new RecordingPort()
  callees.attach(port, 1)
  await publish("uno", new Uint8Array(maxWriteBytes + 1))
  const { records } = await journal.page("tx", { kind: "start" }, 1_000)
  expect(records).toMatchObject([{ mark: { kind: "refused", by: "mqtt", code: "too_large", bytes: 0 } }])
  expect(port.slices).toEqual([])
})

test("refusals are told once per device until a write succeeds", async () => {
  const { callees, levels, publish } = startWriter()
  for (const device of ["uno", "uno", "nano", "nano"]) await publish(device)
  callees.attach(new RecordingPort(), 1)
  await publish("uno")
  callees.detach()
  await publish("uno")
  expect(levels).toEqual([
    "warn uno device_offline",
    "debug uno device_offline",
    "warn nano unknown_device",
    "debug nano unknown_device",
    "warn uno device_offline",
  ])
})
