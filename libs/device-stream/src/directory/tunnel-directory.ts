import type { BrokerClient, BrokerLog } from "@serialcast/broker-client"
import {
  decodeReply,
  isName,
  maxPayloadBytes,
  parseJsonPayload,
  type TunnelReport,
  type TunnelState,
  tunnelReportSchema,
} from "@serialcast/contract"

/** Every tunnel that any service of this broker has reported, with its newest state. */
export interface TunnelDirectory {
  /** Service after service, by their client ids; each one's tunnels in the order of its configuration. */
  list(): readonly TunnelState[]
  /** Calls `listener` after each change. Answers the function that ends it. */
  onChange(listener: () => void): () => void
}

/** Far beyond any installation: it bounds what a broken or hostile publisher can make every service remember. */
const maxServices = 256

/**
 * Follows the reports as services send them, and their answers to `_discover`, which `Directory` asks at each connect.
 * What the broker kept counts for nothing: a broker that lost its power together with a service keeps that one's report
 * for ever.
 */
export class Tunnels implements TunnelDirectory {
  readonly #broker: BrokerClient
  readonly #log: BrokerLog
  /** By the client that reported. */
  readonly #reports = new Map<string, TunnelReport>()
  readonly #listeners = new Set<() => void>()
  readonly #ends: (() => void)[] = []
  #hasWarned = false

  constructor(broker: BrokerClient, log: BrokerLog) {
    this.#broker = broker
    this.#log = log
  }

  async start(): Promise<void> {
    const { topics } = this.#broker
    this.#ends.push(
      this.#broker.onReply((payload) => this.#receiveAnswer(payload)),
      await this.#broker.subscribe(topics.filter("tunnels"), ({ topic, payload, retained }) => {
        const parsed = topics.parse(topic)
        if (parsed?.kind !== "tunnels" || retained) return
        if (payload.byteLength === 0) return this.#withdraw(parsed.client)
        const isSmall = payload.byteLength <= maxPayloadBytes
        const report = isSmall ? parseJsonPayload(tunnelReportSchema, payload) : undefined
        if (report !== undefined) this.#keep(parsed.client, report)
      }),
      this.#broker.onDisconnected(() => this.#forgetAll()),
    )
  }

  stop(): void {
    for (const end of this.#ends.splice(0)) end()
  }

  list(): readonly TunnelState[] {
    return [...this.#reports.keys()].sort().flatMap((client) => this.#reports.get(client)?.tunnels ?? [])
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #receiveAnswer(payload: Uint8Array): void {
    if (payload.byteLength > maxPayloadBytes) return
    const answer = decodeReply(payload)
    if (answer === undefined || !("reply" in answer)) return
    const { client, tunnels } = answer.reply
    const report = tunnelReportSchema.safeParse(tunnels).data
    if (typeof client === "string" && isName(client) && report !== undefined) this.#keep(client, report)
  }

  #keep(client: string, report: TunnelReport): void {
    if (!this.#reports.has(client) && this.#reports.size >= maxServices) return this.#warn(client)
    this.#reports.set(client, report)
    this.#tell()
  }

  #withdraw(client: string): void {
    if (this.#reports.delete(client)) this.#tell()
  }

  /** Without the broker nobody knows which services are there; it tells again at the next connect. */
  #forgetAll(): void {
    this.#reports.clear()
    this.#tell()
  }

  #warn(client: string): void {
    if (this.#hasWarned) return
    this.#hasWarned = true
    this.#log.warn({ maxServices, ignored: client }, "ignoring tunnel services beyond the limit")
  }

  #tell(): void {
    for (const listener of this.#listeners) listener()
  }
}
