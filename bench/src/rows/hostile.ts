import { setTimeout as sleep } from "node:timers/promises"
import { freePort, seededRandom } from "@serialcast/testkit"
import { hostileCalls } from "../hostile/calls.ts"
import { Choices } from "../hostile/choices.ts"
import { drive } from "../hostile/drive.ts"
import { hostileHttp } from "../hostile/http.ts"
import { LogWatch } from "../hostile/log-watch.ts"
import { hostileMqtt } from "../hostile/mqtt.ts"
import { type ProbedGateway, probe } from "../hostile/probe.ts"
import { readVitals, type Vitals } from "../hostile/read-vitals.ts"
import type { Surface } from "../hostile/surface.ts"
import { hostileTelnet } from "../hostile/telnet.ts"
import { hostileWebSocket } from "../hostile/websocket.ts"
import type { Gateway } from "../rig/gateway.ts"
import type { Rig } from "../rig/rig.ts"
import type { Figure, Measurement, Row } from "../row.ts"

const inputs = 100_000
/** What code and caches take once is not what hostile input costs. */
const warmUpInputs = 2_000
const probeEveryMs = 1_000
const slowMs = 1_000
/** Longer than what has not logged in, or has not closed, is waited for. */
const settleMs = 20_000
const endsWithinMs = 1_000
const surfaceNames = ["HTTP", "WebSocket", "MQTT", "calls", "telnet"] as const

/** What random and malformed input does to a gateway that others use. */
export const hostile: Row = {
  name: "hostile",
  what: "100,000 hostile inputs by each way in to one gateway (--seed repeats those of a printed seed); each second its health is asked for, and another device echoes a write by every way in; memory is that after a collection of garbage 20 s later, beside that after 2,000 inputs each",
  isLong: true,
  figures: [
    ...surfaceNames.flatMap((name): readonly Figure[] => [
      { name: `${name}: inputs`, unit: "", isBetter: "higher" },
      { name: `${name}: time`, unit: "s", isBetter: "lower" },
      { name: `${name}: worst probe`, unit: "ms", isBetter: "lower", floor: 2_000 },
      { name: `${name}: log lines`, unit: "", isBetter: "lower", floor: 1_000 },
    ]),
    { name: "memory before", unit: "MB", isBetter: "lower" },
    { name: "memory after", unit: "MB", isBetter: "lower" },
    { name: "memory more", unit: "MB", isBetter: "lower", floor: 64 },
    { name: "heap more", unit: "MB", isBetter: "lower", floor: 32 },
    { name: "descriptors more", unit: "", isBetter: "lower", floor: 0 },
  ],
  async run(rig) {
    const random = seededRandom(rig.seed ?? undefined)
    rig.tell(`hostile: --seed ${random.seed}`)
    await using load = await rig.startLoad()
    const target = await load.openDevice()
    const log = new LogWatch()
    const ports = {
      raw: await freePort(),
      shared: await freePort(),
      exclusive: await freePort(),
      probe: await freePort(),
    }
    await using gateway = await rig.startGateway({
      ports: [target.path, "sim:echo"],
      canCollect: true,
      logLevel: "info",
      onLog: (line) => log.take(line),
      tunnels: [
        { type: "raw", listen: `127.0.0.1:${ports.raw}`, device: "local/d1" },
        { type: "rfc2217", listen: `127.0.0.1:${ports.probe}`, device: "local/d1", control: "shared" },
        { type: "rfc2217", listen: `127.0.0.1:${ports.shared}`, device: "local/d0", control: "shared" },
        { type: "rfc2217", listen: `127.0.0.1:${ports.exclusive}`, device: "local/d0" },
      ],
    })
    const choices = new Choices(random)
    const surfaces = surfacesOf(gateway, [ports.shared, ports.exclusive])
    const probed = { ...probedOf(gateway), rawPort: ports.raw, telnetPort: ports.probe }
    for (const surface of surfaces)
      await whileItRuns(gateway, drive(surface, choices, rig.scaled(warmUpInputs)))
    await probe(probed, 0)
    const before = await settled(gateway)
    const measured: Record<string, number> = {}
    for (const surface of surfaces)
      Object.assign(measured, await whileItRuns(gateway, measure({ rig, surface, choices, probed, log })))
    const after = await settled(gateway)
    log.check()
    return { ...measured, ...difference(before, after) }
  },
}

/** A gateway that ends is the fault, whatever else that makes fail. */
async function whileItRuns<T>({ ended }: Gateway, work: Promise<T>): Promise<T> {
  const failed = ended.then((how) => Promise.reject(new Error(how)))
  try {
    return await Promise.race([work, failed])
  } catch (error) {
    // What it made fail is told sooner than its end.
    await Promise.race([failed, sleep(endsWithinMs)])
    throw error
  }
}

interface Attack {
  readonly rig: Rig
  readonly surface: Surface
  readonly choices: Choices
  readonly probed: ProbedGateway
  readonly log: LogWatch
}

async function measure({ rig, surface, choices, probed, log }: Attack): Promise<Measurement> {
  const startMs = performance.now()
  const linesBefore = log.lines
  const over = new AbortController()
  log.takeMessages()
  const probing = probeUntil(over.signal, { rig, probed })
  const driving = drive(surface, choices, rig.scaled(inputs))
  try {
    const sent = await Promise.race([driving, probing.then(() => driving)])
    return {
      [`${surface.name}: inputs`]: sent,
      [`${surface.name}: time`]: (performance.now() - startMs) / 1_000,
      [`${surface.name}: worst probe`]: await endOf(over, probing),
      [`${surface.name}: log lines`]: log.lines - linesBefore,
    }
  } finally {
    over.abort()
    rig.tell(`${surface.name}: in the log: ${log.takeMessages()}`)
    log.check()
  }
}

function endOf(over: AbortController, probing: Promise<number>): Promise<number> {
  over.abort()
  return probing
}

/** Answers how long the slowest answer took, in ms. */
async function probeUntil(
  over: AbortSignal,
  { rig, probed }: Pick<Attack, "rig" | "probed">,
): Promise<number> {
  let worstMs = 0
  for (let round = 1; !over.aborted; round++) {
    const startMs = performance.now()
    const took = await probe(probed, round)
    worstMs = Math.max(worstMs, ...took.values())
    for (const [name, ms] of took)
      if (ms > slowMs) rig.tell(`probe ${round} of ${name} took ${Math.round(ms)} ms`)
    await sleep(Math.max(0, startMs + probeEveryMs - performance.now()))
  }
  return worstMs
}

async function settled(gateway: Gateway): Promise<Vitals> {
  await sleep(settleMs)
  return await readVitals(gateway)
}

function difference(before: Vitals, after: Vitals): Measurement {
  return {
    "memory before": before.residentBytes / 1e6,
    "memory after": after.residentBytes / 1e6,
    "memory more": (after.residentBytes - before.residentBytes) / 1e6,
    "heap more": (after.heapBytes - before.heapBytes) / 1e6,
    "descriptors more": after.descriptors - before.descriptors,
  }
}

function surfacesOf(gateway: Gateway, telnetPorts: readonly number[]): readonly Surface[] {
  const { httpUrl, pageUrl, adminUrl, brokerPort, brokerWebSocketPort } = gateway
  const [http = 0, page = 0, admin = 0] = [httpUrl, pageUrl, adminUrl].map((url) => Number(new URL(url).port))
  return [
    hostileHttp([http, http, http, page, admin]),
    hostileWebSocket({ page, broker: brokerWebSocketPort }),
    hostileMqtt(brokerPort),
    hostileCalls(brokerPort),
    hostileTelnet(telnetPorts),
  ]
}

function probedOf({ httpUrl, pageUrl, adminUrl, brokerPort }: Gateway) {
  return { httpUrl, adminUrl, brokerPort, pagePort: Number(new URL(pageUrl).port), device: "local/d1" }
}
