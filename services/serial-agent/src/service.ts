import { randomBytes } from "node:crypto"
import type { BrokerClient, Message } from "@serialcast/broker-client"
import { AppError, createTopics, type GatewayStatus } from "@serialcast/contract"
import { withDeadline } from "@serialcast/primitives"
import { type Config, connectToBroker, type RunningService, type ServiceDeps } from "@serialcast/service-kit"
import { createCallHandler } from "./calls/call-server.ts"
import { createTopicWriter } from "./calls/topic-writer.ts"
import { defaultSettings, devicesOf } from "./config.ts"
import { Devices } from "./device/devices.ts"
import { type Discovery, startDiscovery } from "./discovery/discovery.ts"
import { type FoundPort, scanPorts } from "./discovery/scan-ports.ts"
import { type Announcer, createAnnouncer } from "./gateway/announcer.ts"
import { watchGatewayName } from "./gateway/gateway-name.ts"
import { encodeJson } from "./gateway/json.ts"

const version = "0.1.0"
const goodbyeMs = 1_000

/** Opens the configured ports and puts them on the broker. Starts without a broker or a device, and finds both later. */
export async function createSerialAgent(config: Config, deps: ServiceDeps): Promise<RunningService> {
  const { clock, log } = deps
  const { gateway } = config
  const instance = randomBytes(4).toString("hex")
  const started = new Date(clock.nowMs()).toISOString()
  const broker = connectToBroker(config, deps, {
    name: "serial-agent",
    will: {
      destination: createTopics(config.broker.root).status(gateway),
      payload: encodeJson({ online: false }),
    },
    // Connected is an agent that may speak for its gateway: until then it neither announces nor answers.
    birth: () => name.claim(),
  })
  let isStopping = false
  const onDenied = () => {
    if (!isStopping) announcer.announceStatus()
  }
  const name = await watchGatewayName(broker, { gateway, instance, clock, onDenied })
  const onChange = (device: string) => announcer.announceDevice(device)
  const devices = new Devices(gateway, { broker, clock, log, onChange })
  const status = (): GatewayStatus => ({ online: true, instance, version, started, devices: devices.names })
  const announcer = createAnnouncer({ broker, gateway, clock, log, status, states: () => devices.states })
  await answerTopics(broker, gateway, { announcer, devices, log })
  const discovery = await openPorts(config, deps, devices, announcer)
  broker.start()
  return {
    name: "serial-agent",
    isReady: () => broker.isConnected,
    async stop() {
      isStopping = true
      await discovery?.stop()
      await devices.stop()
      await sayGoodbye(broker, gateway, deps)
      await broker.close()
    },
  }
}

/** Behind the last answers on the same connection: a broker that has this has them. */
async function sayGoodbye(broker: BrokerClient, gateway: string, { clock, log }: ServiceDeps): Promise<void> {
  if (!broker.isConnected) return
  const error = () => new AppError("broker_offline", "The broker did not take the last status.")
  const publication = broker.publish(broker.topics.status(gateway), encodeJson({ online: false }))
  await withDeadline(publication, { clock, timeoutMs: goodbyeMs, error }).catch((reason: unknown) => {
    // A broker that takes nothing is left without a word, and then the will says the same.
    log.warn({ reason: String(reason) }, "stopped without a good-bye")
  })
}

interface TopicParts {
  readonly announcer: Announcer
  readonly devices: Devices
  readonly log: ServiceDeps["log"]
}

async function answerTopics(broker: BrokerClient, gateway: string, parts: TopicParts): Promise<void> {
  const { announcer, devices, log } = parts
  const { topics } = broker
  const findDevice = (name: string) => devices.find(name)
  // Until the gateway's name is claimed, another agent may have it, and answers.
  const whenOurs = (handle: (message: Message) => void) => (message: Message) => {
    if (broker.isConnected) handle(message)
  }
  const writeTopic = createTopicWriter({ topics, log, findDevice })
  const answerCall = createCallHandler({ broker, log, findDevice })
  await broker.subscribe(topics.filter("tx", { gateway }), whenOurs(writeTopic))
  await broker.subscribe(topics.filter("call", { gateway }), whenOurs(answerCall))
  await broker.subscribe(
    topics.discover(),
    whenOurs((message) => announcer.answer(message)),
  )
}

/** Opens the configured ports and looks for others. Throws when a port is none; what was opened is closed then. */
async function openPorts(
  config: Config,
  deps: ServiceDeps,
  devices: Devices,
  announcer: Announcer,
): Promise<Discovery | null> {
  try {
    await openConfigured(config, devices)
    return await discover(config, deps, devices, announcer)
  } catch (error) {
    await devices.stop()
    throw error
  }
}

async function openConfigured(config: Config, devices: Devices): Promise<void> {
  const ports = await scanPorts()
  for (const [name, { port, ...settings }] of Object.entries(devicesOf(config))) {
    const found = ports.find(({ path, node }) => path === port || node === port)
    devices.open(name, { port, settings, identity: found?.identity ?? {} })
  }
}

async function discover(
  config: Config,
  { clock, log }: ServiceDeps,
  devices: Devices,
  announcer: Announcer,
): Promise<Discovery | null> {
  if (config.discover === "off") return null
  const { discover: policy } = config
  const configured = devicesOf(config)
  const events = {
    onFound(name: string, { path, identity }: FoundPort) {
      const device = { port: path, settings: defaultSettings, identity }
      if (policy === "show") devices.show(name, device)
      else if (devices.find(name) === undefined) devices.open(name, device)
      announcer.announceStatus()
    },
    onLost(name: string) {
      if (devices.hide(name)) announcer.announceStatus()
    },
  }
  const known = Object.values(configured).map(({ port }) => port)
  return await startDiscovery({ known, names: Object.keys(configured), scan: scanPorts, events, clock, log })
}
