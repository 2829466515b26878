import { randomBytes } from "node:crypto"
import type { BrokerClient, Message } from "@serialcast/broker-client"
import { AppError, createTopics, type GatewayStatus } from "@serialcast/contract"
import { type Journals, openJournals } from "@serialcast/journal"
import { withDeadline } from "@serialcast/primitives"
import {
  type Config,
  connectToBroker,
  type RunningService,
  type ServiceDeps,
  version,
} from "@serialcast/service-kit"
import { createCallHandler } from "./calls/call-server.ts"
import { createTopicWriter } from "./calls/topic-writer.ts"
import { devicesOf } from "./config.ts"
import { Devices } from "./device/devices.ts"
import { adoptPorts } from "./discovery/adopt-ports.ts"
import { type Discovery, startDiscovery } from "./discovery/discovery.ts"
import { identifyPort, scanPorts } from "./discovery/scan-ports.ts"
import { type PortWatch, watchPorts } from "./discovery/watch-ports.ts"
import { type Announcer, availabilityOf, createAnnouncer } from "./gateway/announcer.ts"
import { DeviceWills } from "./gateway/device-wills.ts"
import { watchGatewayName } from "./gateway/gateway-name.ts"
import { createGatewayVoice, type GatewayVoice } from "./gateway/gateway-voice.ts"
import { encodeJson } from "./gateway/json.ts"
import { registerDeviceMetrics } from "./metrics.ts"

const goodbyeMs = 1_000

export interface SerialAgentDeps extends ServiceDeps {
  /** Where what the devices send is kept, taken over; on the disk, as the configuration says, unless given. */
  readonly journals?: Journals
}

/** Opens the configured ports and puts them on the broker. Starts without a broker or a device, and finds both later. */
export async function createSerialAgent(config: Config, deps: SerialAgentDeps): Promise<RunningService> {
  const journals = deps.journals ?? (await openJournals(config, deps))
  try {
    const agent = await startAgent(config, deps, journals)
    return {
      ...agent,
      async stop() {
        try {
          await agent.stop()
        } finally {
          await journals.release()
        }
      },
    }
  } catch (error) {
    await journals.release()
    throw error
  }
}

async function startAgent(config: Config, deps: ServiceDeps, journals: Journals): Promise<RunningService> {
  const { clock, log } = deps
  const { gateway } = config
  const instance = randomBytes(4).toString("hex")
  const started = new Date(clock.nowMs()).toISOString()
  const broker = connectAgent(config, deps)
  const name = await watchGatewayName(broker, {
    gateway,
    instance,
    clock,
    onHeard: (message) => announcer.hear(message),
    onRival: (isStronger) => (isStronger ? yieldName() : announcer.announceAll()),
  })
  const voice = createGatewayVoice({ broker, claim: () => name.claim(), clock, log })
  const yieldName = () => {
    if (!voice.yield()) return
    void wills.stop()
    log.warn({ gateway }, "another agent has this gateway's name; this one is silent until it is free")
    void takeBack(broker, gateway, devices.names, deps)
  }
  const onChange = (device: string) => {
    announcer.announceDevice(device)
    wills.changed()
  }
  const devices = new Devices(gateway, {
    broker: voice,
    clock,
    log,
    onChange,
    identify: identifyPort,
    openJournal: (device) => journals.open(device),
  })
  const states = () => devices.states
  registerDeviceMetrics(deps.metrics, { gateway, journals: () => devices.journals, states })
  const status = (): GatewayStatus => ({ online: true, instance, version, started, devices: devices.names })
  const state = (device: string) => devices.state(device)
  const announcer = createAnnouncer({ broker: voice, gateway, clock, log, status, states, state })
  await answerTopics(broker, gateway, { announcer, devices, log, voice })
  const wills = keepDeviceWills({ broker, voice, devices }, config, deps)
  const hotplug = await openPorts(config, deps, devices, announcer)
  broker.start()
  return {
    name: "serial-agent",
    isReady: () => voice.isConnected,
    async stop() {
      await hotplug.stop()
      await devices.stop()
      const wasHeld = voice.isConnected
      voice.stop()
      if (wasHeld) await sayGoodbye(broker, gateway, deps)
      await Promise.all([broker.close(), wills.stop()])
    },
  }
}

/** With the last word that the broker says when the connection is lost. */
function connectAgent(config: Config, deps: ServiceDeps): BrokerClient {
  const destination = createTopics(config.broker.root).status(config.gateway)
  const will = { destination, payload: encodeJson({ online: false }) }
  return connectToBroker(config, deps, { name: "serial-agent", will })
}

/**
 * Holds the wills of the devices while this gateway's name is. With a broker in this process there is nobody whom they could
 * reach: it ends with the agent.
 */
function keepDeviceWills(
  { broker, voice, devices }: Pick<TopicParts, "devices" | "voice"> & { readonly broker: BrokerClient },
  { gateway, ...config }: Config,
  deps: ServiceDeps,
): { changed(): void; stop(): Promise<void> } {
  if (deps.brokerLink !== undefined && "localBroker" in deps.brokerLink)
    return { changed() {}, stop: async () => {} }
  const { topics } = broker
  const connect = (device: string) => {
    const destination = topics.device("availability", { gateway, device })
    const will = { destination, payload: new TextEncoder().encode(availabilityOf({ online: false })) }
    return connectToBroker({ gateway, ...config }, deps, { name: "serial-agent", will })
  }
  const wills = new DeviceWills({ connect })
  const changed = () => {
    if (voice.isConnected) wills.hold(devices.journals.map(([name]) => name))
  }
  voice.onConnected(changed)
  broker.onDisconnected(() => void wills.stop())
  return { changed, stop: () => wills.stop() }
}

/** Takes this agent's words off the broker: of what is left, the gateway's other agent says its own again. */
async function takeBack(
  broker: BrokerClient,
  gateway: string,
  names: readonly string[],
  deps: ServiceDeps,
): Promise<void> {
  for (const device of names) {
    for (const kind of ["state", "availability"] as const) {
      const destination = broker.topics.device(kind, { gateway, device })
      broker.publish(destination, new Uint8Array(0)).catch((error: unknown) => {
        // With the connection gone, the will makes the other agent announce; a state too many is taken for offline.
        deps.log.debug({ reason: String(error) }, "state not taken back")
      })
    }
  }
  await sayGoodbye(broker, gateway, deps)
}

/** Behind the last answers on the same connection: a broker that has this has them. */
async function sayGoodbye(broker: BrokerClient, gateway: string, { clock, log }: ServiceDeps): Promise<void> {
  const error = () => new AppError("broker_offline", "The broker did not take the last status.")
  const publication = broker.publish(broker.topics.status(gateway), encodeJson({ online: false }))
  await withDeadline(publication, { clock, timeoutMs: goodbyeMs, error }).catch((reason: unknown) => {
    // A broker that takes nothing is left without a word, and then the will says the same.
    log.warn({ reason: String(reason) }, "left without a good-bye")
  })
}

interface TopicParts {
  readonly announcer: Announcer
  readonly devices: Devices
  readonly log: ServiceDeps["log"]
  readonly voice: GatewayVoice
}

async function answerTopics(broker: BrokerClient, gateway: string, parts: TopicParts): Promise<void> {
  const { announcer, devices, log, voice } = parts
  const { topics } = broker
  const findDevice = (name: string) => devices.find(name)
  // Until the gateway's name is claimed, another agent may have it, and answers.
  const whenOurs = (handle: (message: Message) => void) => (message: Message) => {
    if (voice.isConnected) handle(message)
  }
  const writeTopic = createTopicWriter({ topics, log, findDevice })
  const answerCall = createCallHandler({ broker, log, devices })
  await broker.subscribe(topics.filter("tx", { gateway }), whenOurs(writeTopic))
  await broker.subscribe(topics.filter("call", { gateway }), whenOurs(answerCall))
  for (const kind of ["state", "availability"] as const) {
    await broker.subscribe(
      topics.filter(kind, { gateway }),
      whenOurs((message) => announcer.hear(message)),
    )
  }
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
): Promise<Discovery> {
  const ports = Object.values(devicesOf(config)).map(({ port }) => port)
  const watch = watchPorts({ ports, clock: deps.clock, log: deps.log })
  watch.onAppeared((path) => devices.retry(path))
  try {
    await openConfigured(config, devices)
    const discovery = await discover(config, deps, { devices, announcer, watch })
    return {
      async stop() {
        watch[Symbol.dispose]()
        await discovery?.stop()
      },
    }
  } catch (error) {
    watch[Symbol.dispose]()
    await devices.stop()
    throw error
  }
}

/** All together: each may wait for a disk that hangs. */
async function openConfigured(config: Config, devices: Devices): Promise<void> {
  const identified = await Promise.all(
    Object.entries(devicesOf(config)).map(async ([name, device]) => {
      return { name, device: { config: device, identity: await identifyPort(device.port) } }
    }),
  )
  // In the order of the configuration, which decides whose a port is that two of them name.
  await Promise.all(identified.map(({ name, device }) => devices.open(name, device)))
}

interface DiscoverParts {
  readonly devices: Devices
  readonly announcer: Announcer
  readonly watch: PortWatch
}

async function discover(
  config: Config,
  { clock, log }: ServiceDeps,
  { devices, announcer, watch }: DiscoverParts,
): Promise<Discovery | null> {
  if (config.discover === "off") return null
  const configured = devicesOf(config)
  const events = adoptPorts({ policy: config.discover, devices, onChange: () => announcer.announceStatus() })
  const known = Object.values(configured).map(({ port }) => port)
  const names = Object.keys(configured)
  return await startDiscovery({ known, names, scan: scanPorts, watch, events, clock, log })
}
