import { AppError, toAppError } from "@serialcast/contract"
import { createAttemptLimiter, type RefusalLog, type ServiceDeps } from "@serialcast/service-kit"
import type { AedesOptions, AuthenticateError, Client, ConnectPacket, PublishPacket } from "aedes"
import type { BrokerCounters } from "../metrics.ts"
import type { RetainedStore, RetainedStoreOptions } from "../retained/retained-store.ts"
import { judgeLogin, type LoginRefusal, type Origin } from "../rules/login.ts"
import { judgePublication, mayPublish, type PublishRules } from "../rules/publish-rules.ts"
import { maySubscribe } from "../rules/subscribe-rules.ts"
import type { WillBudget } from "../rules/will-budget.ts"
import type { Routes } from "./routes.ts"

export interface MqttOptions extends RetainedStoreOptions {
  /** First topic level of the contract. */
  readonly root: string
}

export interface MqttDeps extends Pick<ServiceDeps, "log" | "clock" | "token"> {
  readonly counters: BrokerCounters
}

export interface HooksDeps extends MqttDeps {
  readonly wills: WillBudget
  readonly refusals: RefusalLog
  readonly recordOf: (client: Client) => ClientRecord
  readonly routes: Routes
  readonly rules: PublishRules
  readonly retained: RetainedStore
  /** Clients of which a retained message was not acknowledged. */
  readonly unacknowledged: Set<Client>
}

/** What is known of a client besides what it says itself. */
export interface ClientRecord {
  readonly origin: Origin
  /** What it is subscribed to. */
  readonly filters: Set<string>
  /** It gave no name, and wants its session kept under it. */
  isNameless?: boolean
  /** Its will, when that is to be retained. */
  will?: ConnectPacket["will"]
  /** The topic of its will, once it is logged in. */
  heldWill?: string
  /** What it publishes waits for what it published before. */
  turn?: Promise<void> | undefined
}

type Hooks = Required<
  Pick<
    AedesOptions,
    "preConnect" | "authenticate" | "authorizePublish" | "authorizeSubscribe" | "authorizeForward"
  >
>

function sizeOf({
  topic,
  payload,
}: {
  readonly topic: string
  readonly payload: string | Uint8Array
}): number {
  return Buffer.byteLength(topic) + Buffer.byteLength(payload)
}

/** MQTT 3.1.1 §3.1.3.1 [MQTT-3.1.3-8]. */
function judgeName({ isNameless }: ClientRecord): LoginRefusal | undefined {
  if (isNameless !== true) return undefined
  const message = "Expected a client id, or clean session 1; found neither."
  return { error: new AppError("bad_request", message), returnCode: 2 }
}

/**
 * Takes a publication under the rules: throws their refusal, or says in its `retain` whether it is retained. What it answers
 * is `RetainedStore.put`'s.
 */
export type TakePublication = (packet: PublishPacket, client?: string) => Promise<boolean> | undefined

/** The product's rules, at the points where aedes asks for them. */
export function createHooks(deps: HooksDeps): { readonly take: TakePublication; readonly hooks: Hooks } {
  const { clock, token, counters, recordOf, routes, wills, retained, unacknowledged } = deps
  const login = { token, limiter: createAttemptLimiter({ clock }) }
  const take = createTake(deps)
  const hooks: Hooks = {
    preConnect(client, packet, done) {
      const record = recordOf(client)
      record.isNameless = packet.clientId === "" && packet.clean !== true
      // Sessions that outlive their connection would queue without a bound. Every client gets a clean one, and the
      // CONNACK says so (MQTT 3.1.1 §3.2.2.2).
      packet.clean = true
      if (packet.will !== undefined && !wills.admit(record, sizeOf(packet.will)))
        return done(
          new AppError("too_large", "The will is longer than 64 KiB, or there are too many."),
          false,
        )
      if (packet.will?.retain === true && mayPublish(packet.will.topic)) record.will = packet.will
      done(null, true)
    },
    authenticate(client, username, password, done) {
      const record = recordOf(client)
      const refusal = judgeName(record) ?? judgeLogin({ origin: record.origin, username, password }, login)
      if (refusal === undefined) {
        if (record.will !== undefined) holdWill(record, record.will, retained)
        return done(null, true)
      }
      const answer: AuthenticateError = Object.assign(refusal.error, { returnCode: refusal.returnCode })
      done(answer, false)
    },
    authorizePublish(client, packet, done) {
      const outcome = attempt(() => take(packet, client?.id))
      if (outcome instanceof AppError) return done(outcome)
      if (client === null) return done()
      inTurn(recordOf(client), outcome, (isKept) => {
        if (!isKept) counters.countNotKept()
        const isAsked = packet.messageId !== undefined
        if (isAsked && !isKept) unacknowledged.add(client)
        // aedes acknowledges before it publishes: what it must not acknowledge, or cannot any more, it gets as QoS 0.
        if (isAsked && (!isKept || client.closed)) packet.qos = 0
        done()
      })
    },
    authorizeSubscribe(client, subscription, done) {
      const record = recordOf(client)
      if (!maySubscribe(subscription.topic, record.filters)) return done(null, null)
      record.filters.add(subscription.topic)
      routes.changed(record)
      done(null, subscription)
    },
    authorizeForward(_client, packet) {
      counters.countSent()
      return packet
    },
  }
  return { take, hooks }
}

function createTake({ log, counters, rules, retained, refusals }: HooksDeps): TakePublication {
  return (packet, client) => {
    counters.countReceived()
    const judgement = judgePublication(packet, rules)
    if (judgement.action === "refuse") throw judgement.error
    packet.retain = judgement.action === "retain"
    if (judgement.action === "overBudget") {
      counters.countNotRetained()
      const news = refusals.next("retained")
      const fields = { client, topic: packet.topic, ...news }
      if (news !== null) log.warn(fields, "no room to retain a message")
    }
    if (!packet.retain) return undefined
    // What is kept must not keep the whole buffer alive that it was read into.
    packet.payload = Buffer.from(packet.payload)
    return retained.put(packet)
  }
}

function holdWill(
  record: ClientRecord,
  will: NonNullable<ClientRecord["will"]>,
  retained: RetainedStore,
): void {
  record.heldWill = will.topic
  retained.holdWill(record, { ...will, qos: will.qos ?? 0 })
}

/** Goes on when what waits for the disk is there, and all that the client published before went on: its order holds. */
function inTurn(
  record: ClientRecord,
  kept: Promise<boolean> | undefined,
  goOn: (isKept: boolean) => void,
): void {
  const { turn: before } = record
  if (before === undefined && kept === undefined) return goOn(true)
  const turn = Promise.all([kept ?? true, before]).then(([isKept]) => {
    if (record.turn === turn) record.turn = undefined
    goOn(isKept)
  })
  record.turn = turn
}

function attempt<T>(work: () => T): T | AppError {
  try {
    return work()
  } catch (error) {
    return toAppError(error)
  }
}
