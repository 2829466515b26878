import { createBrokerClient } from "@serialcast/broker-client"
import {
  createTopics,
  decodeReply,
  parseJsonPayload,
  type TunnelState,
  tunnelReportSchema,
} from "@serialcast/contract"
import { systemClock } from "@serialcast/primitives"
import { createLogger, createMetrics, loadConfig } from "@serialcast/service-kit"
import {
  createMemoryBroker,
  createTunnelClient,
  createTunnelState,
  eventually,
  FakeClock,
  type MemoryBroker,
} from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import { connectReporter } from "./connect-reporter.ts"
import { createTunnelReporter } from "./tunnel-reporter.ts"

const topics = createTopics()
const log = createLogger({ name: "test", level: "silent" })
const bytesMoved = (toClients: number) =>
  createTunnelState({ totals: { ...createTunnelState().totals, toClients } })

async function start() {
  const memory = await createMemoryBroker()
  const clock = new FakeClock()
  const openStream = () => memory.connect()
  const deps = { log, clock: systemClock, metrics: createMetrics(), token: null, brokerLink: { openStream } }
  const broker = connectReporter(loadConfig({ env: {} }), deps)
  const service: { states: readonly TunnelState[] } = { states: [createTunnelState()] }
  const reporter = await createTunnelReporter({ broker, clock, log, states: () => service.states })
  onTestFinished(async () => {
    await reporter.stop()
    await memory[Symbol.asyncDispose]()
  })
  const reports = () => reportsOn(memory)
  await eventually(() => expect(reports()).toHaveLength(1))
  return { memory, clock, broker, service, reporter, reports }
}

/** What was published, each report's tunnels, or nothing where one was taken back. */
function reportsOn(memory: MemoryBroker) {
  return memory.published("serialcast/_tunnels/+").map(({ payload, retain, qos }) => {
    expect([retain, qos]).toEqual([true, 1])
    return payload.byteLength === 0 ? null : parseJsonPayload(tunnelReportSchema, payload)?.tunnels
  })
}

/** A client of the broker, with what it was sent. */
async function join(memory: MemoryBroker, clientId: string) {
  const openStream = () => memory.connect()
  const options = { clientId, topics, openStream, credentials: null }
  const client = createBrokerClient(options, { clock: systemClock, log })
  onTestFinished(() => client.close())
  client.start()
  await eventually(() => expect(client.isConnected).toBe(true))
  return client
}

/** What the broker keeps of reports for those who come now. */
async function keptOn(memory: MemoryBroker, name: string): Promise<number> {
  const kept: string[] = []
  const late = await join(memory, name)
  await late.subscribe(topics.filter("tunnels"), ({ topic, retained }) => {
    if (retained) kept.push(topic)
  })
  // An own message that came back tells that what was kept did: it was sent before.
  const back = new Promise<void>((resolve) => void late.onReply(() => resolve()))
  await late.publish(topics.reply(name), Uint8Array.of(0))
  await back
  return kept.length
}

test("each connect tells everything, though nothing changed", async () => {
  const { memory, clock, broker, reports } = await start()
  expect(reports()).toEqual([[createTunnelState()]])
  await clock.advanceAsync(10_000)
  expect(reports()).toHaveLength(1)
  await memory.disconnectAll()
  await eventually(() => expect(broker.isConnected).toBe(true))
  await clock.advanceAsync(100)
  // In between the last will took the report back.
  await eventually(() => expect(reports()).toEqual([[createTunnelState()], null, [createTunnelState()]]))
})

test("what somebody clears or overwrites of the report is told again", async () => {
  const { memory, clock, broker, reports } = await start()
  const client = await join(memory, "somebody")
  for (const words of ["", "{}"]) {
    await client.publish(topics.tunnels(broker.clientId), new TextEncoder().encode(words))
    await eventually(async () => {
      await clock.advanceAsync(100)
      expect(reports().at(-1)).toHaveLength(1)
    })
  }
  expect(reports()).toHaveLength(5)
  // Its own words it hears, and says nothing to them.
  for (let n = 0; n < 20; n++) await clock.advanceAsync(500)
  expect(reports()).toHaveLength(5)
})

test("a change is told at once, and changes right behind it together, 100 ms later", async () => {
  const { clock, service, reporter, reports } = await start()
  await clock.advanceAsync(100)
  const change = (count: number) => {
    const clients = Array.from({ length: count }, (_, n) => createTunnelClient(`10.0.0.1:${n}`))
    service.states = [createTunnelState({ clientCount: count, clients })]
    reporter.changed()
  }
  change(1)
  await eventually(() => expect(reports().at(-1)).toMatchObject([{ clientCount: 1 }]))
  for (let count = 2; count <= 50; count++) change(count)
  await clock.advanceAsync(99)
  expect(reports()).toHaveLength(2)
  await clock.advanceAsync(1)
  await eventually(() => expect(reports()).toHaveLength(3))
  expect(reports().at(-1)).toMatchObject([{ clientCount: 50 }])
})

test("byte counters are told about once a second while they move, without anybody saying so", async () => {
  const { clock, service, reports } = await start()
  for (let step = 1; step <= 50; step++) {
    service.states = [bytesMoved(step)]
    await clock.advanceAsync(100)
  }
  await clock.advanceAsync(1_100)
  await eventually(() => expect(reports().at(-1)).toEqual([bytesMoved(50)]))
  // The first one, and one each 1.1 s since.
  const told = reports().length
  expect(told).toBeLessThanOrEqual(6)
  await clock.advanceAsync(10_000)
  expect(reports()).toHaveLength(told)
})

test("whoever asks is told, whether or not the broker keeps anything", async () => {
  const { memory, broker } = await start()
  const asker = await join(memory, "asker")
  const answers: unknown[] = []
  asker.onReply((payload) => {
    const answer = decodeReply(payload)
    if (answer !== undefined && "reply" in answer) answers.push(answer.reply)
  })
  for (const text of ["nothing", '{"client":"NOT A NAME"}', '{"client":"asker"}'])
    await asker.publish(topics.discover(), new TextEncoder().encode(text))
  await eventually(() => expect(answers).toHaveLength(1))
  expect(answers).toMatchObject([{ client: broker.clientId, tunnels: { tunnels: [createTunnelState()] } }])
})

test("a service that vanished is off the broker, and one that stopped is too", async () => {
  const { memory, broker, reporter } = await start()
  expect(await keptOn(memory, "early")).toBe(1)
  await reporter.stop()
  expect(reportsOn(memory).at(-1)).toBe(null)
  expect(await keptOn(memory, "late")).toBe(0)
  expect(broker.isConnected).toBe(false)
  const vanishing = await start()
  expect(await keptOn(vanishing.memory, "early")).toBe(1)
  await vanishing.memory.disconnectAll()
  await eventually(() => expect(vanishing.reports().slice(0, 2)).toEqual([[createTunnelState()], null]))
})
