import { createHash, type Hash } from "node:crypto"
import { type Cursor, formatCursor, type Gap } from "@serialcast/contract"
import { createDeviceClient, type StreamEvent } from "@serialcast/device-stream"
import { delay, systemClock } from "@serialcast/primitives"
import { connectToBroker, createLogger, createMetrics, loadConfig } from "@serialcast/service-kit"
import { createFaultProxy, type FaultProxy } from "@serialcast/testkit"
import { NumberedLinesCheck } from "./numbered-lines.ts"

const device = "local/board"

/** A consumer that keeps its cursor over its own deaths, as one with a database would, and checks all that it gets. */
export interface Consumer extends AsyncDisposable {
  /** consumer ⇄ broker */
  readonly network: FaultProxy
  readonly lines: NumberedLinesCheck
  readonly gaps: readonly Gap[]
  /** After all that it got. */
  readonly offset: number
  readonly epoch: string
  /** Of all bytes that it got. */
  hash(): string
  /** The process ends without a word. */
  kill(): Promise<void>
  start(): void
  /** Rejects when something came that no gap explains. */
  readonly failed: Promise<never>
}

export async function createConsumer(brokerPort: number): Promise<Consumer> {
  const network = await createFaultProxy({ target: { host: "127.0.0.1", port: brokerPort } })
  const got = new Received()
  let life: { readonly leaving: AbortController; readonly over: Promise<void> } | null = null
  let fail: (error: unknown) => void = () => {}
  const failed = new Promise<never>((_, reject) => (fail = reject))
  failed.catch(() => {})
  const kill = async () => {
    life?.leaving.abort()
    await life?.over
    life = null
  }
  return {
    network,
    lines: got.lines,
    gaps: got.gaps,
    failed,
    get offset() {
      return got.cursor?.offset ?? 0
    },
    get epoch() {
      return got.cursor?.epoch ?? ""
    },
    hash: () => got.hash.copy().digest("hex"),
    start() {
      const leaving = new AbortController()
      life = { leaving, over: live(network, got, leaving.signal).catch(fail) }
    },
    kill,
    async [Symbol.asyncDispose]() {
      await kill()
      await network[Symbol.asyncDispose]()
    },
  }
}

/** One life of the consumer: connects, reads from where the last one ended, and is gone when `signal` is aborted. */
async function live(network: FaultProxy, got: Received, signal: AbortSignal): Promise<void> {
  const broker = `mqtt://${network.host}:${network.port}`
  const config = loadConfig({ env: { SERIALCAST_BROKER_URL: broker }, directory: "/nonexistent" })
  const log = createLogger({ name: "consumer", level: "silent" })
  const deps = { log, clock: systemClock, metrics: createMetrics(), token: null }
  const client = await createDeviceClient(connectToBroker(config, deps, { name: "consumer" }), deps)
  try {
    while (client.devices.get(device) === undefined && !signal.aborted) await delay(systemClock, 20, signal)
    if (signal.aborted) return
    const from =
      got.cursor === null ? ({ kind: "start" } as const) : ({ kind: "cursor", cursor: got.cursor } as const)
    for await (const event of client.device(device).read({ from, signal })) got.take(event)
  } finally {
    await client.close()
  }
}

class Received {
  cursor: Cursor | null = null
  readonly lines = new NumberedLinesCheck()
  readonly gaps: Gap[] = []
  readonly hash: Hash = createHash("sha256")

  take(event: StreamEvent): void {
    switch (event.kind) {
      case "positioned":
        if (this.cursor !== null && event.cursor !== null) this.#mustJoin(event.cursor.offset)
        else if (event.cursor !== null) this.#begin(event.cursor)
        break
      case "bytes":
        this.#mustJoin(event.offset)
        this.hash.update(event.bytes)
        this.lines.push(event.bytes)
        break
      case "gap":
        this.#takeGap(event.gap, event.cursor)
        break
      case "mark":
        break
    }
    this.cursor = event.cursor ?? this.cursor
  }

  /** What was dropped before it came for the first time is missing too. */
  #begin({ epoch, offset }: Cursor): void {
    if (offset === 0) return
    const [from, to] = [0, offset].map((at) => formatCursor({ epoch, offset: at, mark: 0 })) as [
      string,
      string,
    ]
    this.gaps.push({ from, to, bytes: offset, reason: "evicted" })
    this.lines.gap()
  }

  #takeGap(gap: Gap, after: Cursor): void {
    this.gaps.push(gap)
    this.lines.gap()
    if (gap.reason === "unread") return this.#mustJoin(after.offset)
    if (this.cursor !== null && gap.from !== formatCursor(this.cursor))
      throw new Error(`a gap from ${gap.from}, expected ${formatCursor(this.cursor)}`)
    if (gap.bytes !== null && gap.bytes !== after.offset - (this.cursor?.offset ?? 0))
      throw new Error(`a gap of ${gap.bytes} bytes from ${this.cursor?.offset} to ${after.offset}`)
  }

  #mustJoin(offset: number): void {
    const expected = this.cursor?.offset ?? 0
    if (offset !== expected) throw new Error(`expected offset ${expected}, found ${offset}`)
  }
}
