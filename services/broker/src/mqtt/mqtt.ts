import type { EventEmitter } from "node:events"
import type { Duplex } from "node:stream"
import type { LocalBroker } from "@serialcast/broker-client"
import { AppError } from "@serialcast/contract"
import { RefusalLog } from "@serialcast/service-kit"
import { Aedes, type Client } from "aedes"
import type { Origin } from "../rules/login.ts"
import { WillBudget } from "../rules/will-budget.ts"
import { type ClientRecord, createHooks, type MqttDeps, type MqttOptions } from "./hooks.ts"
import { createLocalBroker } from "./local-broker.ts"
import { Routes } from "./routes.ts"

const limits = {
  /** A connection has this long to send its CONNECT, in milliseconds. */
  connectTimeout: 10_000,
  /** A second line of defence, in milliseconds: connections take every write, so nothing is to drain. */
  drainTimeout: 2_000,
  /** Packets that may follow a CONNECT before its answer. */
  queueLimit: 42,
  /** Unfinished QoS 2 messages of one client; the contract uses none. */
  maxInflightInbound: 64,
  /** The contract's deepest topic has six levels. */
  maxTopicLevels: 16,
}

/** The MQTT protocol over streams of any kind, with the product's rules. */
export interface Mqtt {
  readonly connectedClients: number
  /** For the other services of this process. */
  readonly local: LocalBroker
  handle(connection: Duplex, origin: Origin): void
  /** Ends the clients that are logged in; their wills are published. */
  close(): Promise<void>
}

export async function createMqtt(options: MqttOptions, deps: MqttDeps): Promise<Mqtt> {
  const records = new WeakMap<Client, ClientRecord>()
  const recordOf = (client: Client): ClientRecord => {
    const record = records.get(client)
    if (record === undefined) throw new AppError("internal", "A client has no connection.")
    return record
  }
  const routes = new Routes()
  const refusals = new RefusalLog(deps.clock)
  const wills = new WillBudget()
  const hooks = createHooks(options, { ...deps, recordOf, routes, wills, refusals })
  const aedes = await Aedes.createBroker({ ...limits, ...hooks })
  const local = createLocalBroker(aedes, { judge: hooks.authorizePublish, routes })
  aedes.on("unsubscribe", (topics, client) => {
    const record = recordOf(client)
    for (const topic of topics) record.filters.delete(topic)
    routes.changed(record)
  })
  const report = (client: Client, err: Error) =>
    reportFailure({ ...deps, refusals }, { client: client.id, origin: recordOf(client).origin }, err)
  aedes.on("clientError", report)
  aedes.on("connectionError", report)
  // Its types leave this event out. It tells of failures of the store, which is in memory here.
  const emitter: EventEmitter = aedes
  emitter.on("error", (err) => deps.log.error({ err }, "the broker failed"))
  return {
    get connectedClients() {
      return aedes.connectedClients
    },
    local,
    handle(connection, origin) {
      const record: ClientRecord = { origin, filters: new Set() }
      records.set(aedes.handle(connection), record)
      connection.once("close", () => wills.release(record))
    },
    async close() {
      local.close()
      await new Promise<void>((resolve) => aedes.close(resolve))
    },
  }
}

/** What this broker decided is news for its operator; that a connection broke is not. */
function reportFailure(
  { log, counters, refusals }: MqttDeps & { readonly refusals: RefusalLog },
  { client, origin }: Pick<ClientRecord, "origin"> & { readonly client: string },
  err: Error,
): void {
  if (!(err instanceof AppError)) return log.debug({ client, origin, err }, "a connection failed")
  counters.countCut(err.code)
  const from = origin.kind === "network" ? origin.address : origin.kind
  const isLogin = err.code === "unauthorized" || err.code === "too_many_attempts"
  const news = refusals.next(`${from} ${isLogin ? "login" : err.code}`)
  if (news === null) return
  log.warn({ client, origin, code: err.code, reason: err.message, ...news }, "a client was cut off")
}
