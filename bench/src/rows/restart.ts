import { rm } from "node:fs/promises"
import { openJournals } from "@serialcast/journal"
import { systemClock } from "@serialcast/primitives"
import { countingBytes, eventually } from "@serialcast/testkit"
import type { Gateway } from "../rig/gateway.ts"
import type { LoadDevice } from "../rig/load.ts"
import { nowNs } from "../rig/process-usage.ts"
import type { Rig } from "../rig/rig.ts"
import type { Measurement, Row } from "../row.ts"
import { usbPacketBytes } from "./uart.ts"

const count = 64
const mebibytes = 64
// Of what a device sent, three quarters are kept.
const rxShare = 0.75
const indexBytesPerRead = 24
const readsPerWrite = 4

/** Whether a box that was kept busy for weeks is back at once. */
export const restart: Row = {
  name: "restart",
  isLong: true,
  what: "64 devices whose journals of 64 MiB are full with reads of 64 bytes: from the start of the process until every port is read, and the oldest byte of each can be had, beside a start with empty journals",
  figures: [
    { name: "empty: ports read", unit: "s", isBetter: "lower" },
    { name: "empty: history readable", unit: "s", isBetter: "lower" },
    ...["stopped", "killed"].flatMap((how) => [
      { name: `${how}: ports read`, unit: "s", isBetter: "lower" as const },
      { name: `${how}: ports read, more`, unit: "s", isBetter: "lower" as const, floor: 0.5, aim: 0.2 },
      { name: `${how}: history readable`, unit: "s", isBetter: "lower" as const },
      { name: `${how}: history, more`, unit: "s", isBetter: "lower" as const, floor: 2, aim: 1 },
    ]),
  ],
  async run(rig) {
    await using load = await rig.startLoad()
    const devices: LoadDevice[] = []
    for (let number = 0; number < rig.scaled(count); number++) devices.push(await load.openDevice())
    const journals = rig.emptyPath("journals")
    const start = () => startTimed(rig, { devices, journals })
    const empty = await start()
    await empty.gateway[Symbol.asyncDispose]()
    await rm(journals, { recursive: true })
    await fill(journals, devices.length, rig.scaled(mebibytes) * 1024 * 1024)
    const stopped = await start()
    await Promise.all(
      devices.map((device) => device.feed({ bytes: 100 * usbPacketBytes, chunkBytes: usbPacketBytes })),
    )
    await stopped.gateway.kill()
    const killed = await start()
    await killed.gateway[Symbol.asyncDispose]()
    await rm(journals, { recursive: true })
    return {
      ...tell("empty", empty, null),
      ...tell("stopped", stopped, empty),
      ...tell("killed", killed, empty),
    }
  },
}

interface Started {
  readonly gateway: Gateway
  readonly readSeconds: number
  readonly historySeconds: number
}

interface Starting {
  readonly devices: readonly LoadDevice[]
  readonly journals: string
}

async function startTimed(rig: Rig, { devices, journals }: Starting): Promise<Started> {
  const startNs = nowNs()
  const seconds = () => (nowNs() - startNs) / 1e9
  const gateway = await rig.startGateway({ ports: devices.map(({ path }) => path), journals })
  const readSeconds = seconds()
  await Promise.all(devices.map((_, number) => fetchOldest(gateway, number)))
  return { gateway, readSeconds, historySeconds: seconds() }
}

/** Resolves when the oldest byte of a device was answered, or none is kept. */
async function fetchOldest({ httpUrl }: Gateway, number: number): Promise<void> {
  const url = `${httpUrl}/api/v1/devices/local/d${number}/history?from=start&maxBytes=1`
  await eventually(async () => {
    const response = await fetch(url)
    if (!response.ok) throw new Error(`${url} answers ${response.status}: ${await response.text()}`)
    await response.arrayBuffer()
  })
}

const print = (_fields: object, message: string) => void process.stderr.write(`${message}\n`)
const nothing = () => {}
const log = { debug: nothing, info: nothing, warn: print, error: print, child: () => log }

/** What weeks of a polled device leave: as many reads as `bytes` of a journal hold, and a write now and then. */
async function fill(dir: string, devices: number, bytes: number): Promise<void> {
  const limits = { maxBytes: bytes, maxAgeMs: null, syncMs: 1_000, stage: "off" } as const
  const opened = await openJournals(
    { gateway: "local", journal: { dir, ...limits } },
    { clock: systemClock, log },
  )
  const reads = Math.floor((bytes * rxShare) / (usbPacketBytes + indexBytesPerRead))
  for (let number = 0; number < devices; number++) {
    const journal = await opened.open(`d${number}`)
    for (let read = 0; read < reads; read++) {
      journal.append("rx", countingBytes(read * usbPacketBytes, usbPacketBytes))
      if (read % readsPerWrite === 0) {
        const write = { client: "poll", id: String(read), by: "poller", bytes: 8 }
        journal.mark("tx", { kind: "started", ...write })
        journal.append("tx", new Uint8Array(8))
        journal.mark("tx", { kind: "drained", ...write })
      }
      // What waits for the disk is bounded.
      if (read % 10_000 === 0) await journal.settled()
    }
    await journal.settled()
    await journal.close()
  }
  await opened.release()
}

function tell(how: string, { readSeconds, historySeconds }: Started, empty: Started | null): Measurement {
  const values = { [`${how}: ports read`]: readSeconds, [`${how}: history readable`]: historySeconds }
  if (empty === null) return values
  return {
    ...values,
    [`${how}: ports read, more`]: readSeconds - empty.readSeconds,
    [`${how}: history, more`]: historySeconds - empty.historySeconds,
  }
}
