import { randomUUID } from "node:crypto"
import { type BrokerClient, createBrokerClient } from "@serialcast/broker-client"
import { createTopics, type DeviceState, encodeCall } from "@serialcast/contract"
import { createDeviceClient, type DeviceClient } from "@serialcast/device-stream"
import { systemClock } from "@serialcast/primitives"
import {
  type Config,
  createLogger,
  createMetrics,
  loadConfig,
  type RunningService,
} from "@serialcast/service-kit"
import { createMemoryBroker, createTemporaryFolder, eventually, type MemoryBroker } from "@serialcast/testkit"
import { onTestFinished } from "vitest"
import { deviceAt } from "../config.ts"
import { createSerialAgent } from "../service.ts"

const log = createLogger({ name: "test", level: "silent" })

/** A broker in memory, gone when the test is over. */
export async function startBroker(): Promise<MemoryBroker> {
  const memory = await createMemoryBroker()
  onTestFinished(() => memory[Symbol.asyncDispose]())
  return memory
}

/** An agent with these devices, name to port. */
export async function startAgent(
  connect: MemoryBroker["connect"],
  ports: Readonly<Record<string, string>>,
  overrides: Partial<Config> = {},
): Promise<RunningService> {
  const devices = Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, deviceAt(port)]))
  const journal = createTemporaryFolder()
  const defaults = loadConfig({ env: {}, directory: "/nowhere" })
  const config: Config = {
    ...defaults,
    journal: { ...defaults.journal, dir: journal.path },
    discover: "off",
    devices,
    ...overrides,
  }
  const metrics = createMetrics()
  const deps = { log, clock: systemClock, metrics, token: null, brokerLink: { openStream: connect } }
  const agent = await createSerialAgent(config, deps)
  onTestFinished(async () => {
    await agent.stop()
    journal[Symbol.dispose]()
  })
  return agent
}

/** A client of the broker, connected. */
export async function startClient(memory: MemoryBroker): Promise<BrokerClient> {
  const options = {
    clientId: `test-${randomUUID().slice(0, 8)}`,
    topics: createTopics(),
    openStream: () => memory.connect(),
    credentials: null,
  }
  const broker = createBrokerClient(options, { clock: systemClock, log })
  broker.start()
  onTestFinished(() => broker.close())
  await new Promise<void>((resolve) => broker.onConnected(resolve))
  return broker
}

export async function startDeviceClient(memory: MemoryBroker): Promise<DeviceClient> {
  const client = await createDeviceClient(await startClient(memory), { clock: systemClock, log })
  onTestFinished(() => client.close())
  await client.whenReady(30_000)
  return client
}

/** The state of a device once `isWanted` holds for it. */
export async function untilState(
  client: DeviceClient,
  address: string,
  isWanted: (state: DeviceState) => boolean,
): Promise<DeviceState> {
  return await eventually(() => {
    const state = client.devices.get(address)
    if (state === undefined || !isWanted(state)) throw new Error(`${address}: ${JSON.stringify(state)}`)
    return state
  })
}

/** Calls a device of gateway `local` with CBOR; answers the reply, or the error in it. */
export async function call(
  broker: BrokerClient,
  topicEnd: string,
  request: { readonly id: string; readonly [field: string]: unknown },
): Promise<Record<string, unknown>> {
  const reply = await broker.request({
    id: request.id,
    destination: { topic: `serialcast/local/${topicEnd}/${broker.clientId}`, qos: 0, retain: false },
    payload: encodeCall(request),
    timeoutMs: 30_000,
  })
  return "reply" in reply ? reply.reply : { error: reply.error }
}
