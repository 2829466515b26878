import type { EventEmitter } from "node:events"
import type { Duplex } from "node:stream"
import type { LocalBroker } from "@serialcast/broker-client"
import { AppError, createTopics } from "@serialcast/contract"
import { RefusalLog } from "@serialcast/service-kit"
import { Aedes, type Client } from "aedes"
import { openRetainedStore } from "../retained/retained-store.ts"
import type { Origin } from "../rules/login.ts"
import { RetainedBudget } from "../rules/retained-budget.ts"
import { WillBudget } from "../rules/will-budget.ts"
import { type ClientRecord, createHooks, type HooksDeps, type MqttDeps, type MqttOptions } from "./hooks.ts"
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
  /** The disk takes no retained messages. */
  readonly isRetainedAway: boolean
  /** For the other services of this process. */
  readonly local: LocalBroker
  handle(connection: Duplex, origin: Origin): void
  /** Ends the clients that are logged in; their wills are published, and what is retained is on the medium. */
  close(): Promise<void>
}

/** Throws `retained_taken`. */
export async function createMqtt(options: MqttOptions, deps: MqttDeps): Promise<Mqtt> {
  const records = new WeakMap<Client, ClientRecord>()
  const recordOf = (client: Client): ClientRecord => {
    const record = records.get(client)
    if (record === undefined) throw new AppError("internal", "A client has no connection.")
    return record
  }
  const rules = { topics: createTopics(options.root), retained: new RetainedBudget(options.maxRetainedBytes) }
  const unacknowledged = new Set<Client>()
  const onBack = () => sendAgain(unacknowledged)
  const retained = await openRetainedStore(options, { ...deps, rules, onBack })
  const parts = { recordOf, routes: new Routes(), refusals: new RefusalLog(deps.clock), unacknowledged }
  const wills = new WillBudget()
  const { take, hooks } = createHooks({ ...deps, ...parts, rules, retained, wills })
  const aedes = await Aedes.createBroker({ ...limits, ...hooks })
  // Its types leave the store out. Everything else of it is of sessions, which end with their connections.
  const { persistence } = aedes as Aedes & { readonly persistence: object }
  Object.assign(persistence, retained.messages.asStore())
  const local = createLocalBroker(aedes, { take, routes: parts.routes })
  follow(aedes, { ...deps, ...parts })
  return {
    get connectedClients() {
      return aedes.connectedClients
    },
    get isRetainedAway() {
      return retained.isAway
    },
    local,
    handle(connection, origin) {
      const record: ClientRecord = { origin, filters: new Set() }
      const client = aedes.handle(connection)
      records.set(client, record)
      connection.once("close", () => {
        wills.release(record)
        unacknowledged.delete(client)
        if (record.heldWill !== undefined) retained.dropWill(record, record.heldWill)
      })
    },
    async close() {
      local.close()
      await new Promise<void>((resolve) => aedes.close(resolve))
      await retained.close()
    },
  }
}

function follow(
  aedes: Aedes,
  { recordOf, routes, ...deps }: MqttDeps & Pick<HooksDeps, "recordOf" | "routes" | "refusals">,
): void {
  aedes.on("unsubscribe", (topics, client) => {
    const record = recordOf(client)
    for (const topic of topics) record.filters.delete(topic)
    routes.changed(record)
  })
  const report = (client: Client, err: Error) =>
    reportFailure(deps, { client: client.id, origin: recordOf(client).origin }, err)
  aedes.on("clientError", report)
  aedes.on("connectionError", report)
  // Its types leave this event out. It tells of failures of its store, which is in memory.
  const emitter: EventEmitter = aedes
  emitter.on("error", (err) => deps.log.error({ err }, "the broker failed"))
}

/** Ends those who wait for an acknowledgement that they do not get: on their next connection they send it again. */
function sendAgain(clients: ReadonlySet<Client>): void {
  for (const { conn } of clients) {
    const message = "Retained messages that were not acknowledged are kept again: they are to be sent anew."
    conn.destroy(new AppError("retained_failed", message))
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
