import { AppError, createTopics } from "@serialcast/contract"
import { createAttemptLimiter, type RefusalLog, type ServiceDeps } from "@serialcast/service-kit"
import type { AedesOptions, AuthenticateError, Client } from "aedes"
import type { BrokerCounters } from "../metrics.ts"
import { judgeLogin, type LoginRefusal, type Origin } from "../rules/login.ts"
import { judgePublication } from "../rules/publish-rules.ts"
import { RetainedBudget } from "../rules/retained-budget.ts"
import { maySubscribe } from "../rules/subscribe-rules.ts"
import type { WillBudget } from "../rules/will-budget.ts"
import type { Routes } from "./routes.ts"

export interface MqttOptions {
  /** First topic level of the contract. */
  readonly root: string
  /** Memory for all retained messages together, in bytes. */
  readonly maxRetainedBytes: number
}

export interface MqttDeps extends Pick<ServiceDeps, "log" | "clock" | "token"> {
  readonly counters: BrokerCounters
}

interface HooksDeps extends MqttDeps {
  readonly wills: WillBudget
  readonly refusals: RefusalLog
  readonly recordOf: (client: Client) => ClientRecord
  readonly routes: Routes
}

/** What is known of a client besides what it says itself. */
export interface ClientRecord {
  readonly origin: Origin
  /** What it is subscribed to. */
  readonly filters: Set<string>
  /** It gave no name, and wants its session kept under it. */
  isNameless?: boolean
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

/** The product's rules, at the points where aedes asks for them. */
export function createHooks(
  { root, maxRetainedBytes }: MqttOptions,
  { log, clock, token, counters, recordOf, routes, wills, refusals }: HooksDeps,
): Hooks {
  const login = { token, limiter: createAttemptLimiter({ clock }) }
  const publishRules = { topics: createTopics(root), retained: new RetainedBudget(maxRetainedBytes) }
  return {
    preConnect(client, packet, done) {
      recordOf(client).isNameless = packet.clientId === "" && packet.clean !== true
      // Sessions that outlive their connection would queue without a bound. Every client gets a clean one, and the
      // CONNACK says so (MQTT 3.1.1 §3.2.2.2).
      packet.clean = true
      if (packet.will !== undefined && !wills.admit(recordOf(client), sizeOf(packet.will)))
        return done(
          new AppError("too_large", "The will is longer than 64 KiB, or there are too many."),
          false,
        )
      done(null, true)
    },
    authenticate(client, username, password, done) {
      const refusal =
        judgeName(recordOf(client)) ??
        judgeLogin({ origin: recordOf(client).origin, username, password }, login)
      if (refusal === undefined) return done(null, true)
      const answer: AuthenticateError = Object.assign(refusal.error, { returnCode: refusal.returnCode })
      done(answer, false)
    },
    authorizePublish(client, packet, done) {
      counters.countReceived()
      const judgement = judgePublication(packet, publishRules)
      if (judgement.action === "refuse") return done(judgement.error)
      packet.retain = judgement.action === "retain"
      // What is kept must not keep the whole buffer alive that it was read into.
      if (packet.retain) packet.payload = Buffer.from(packet.payload)
      if (judgement.action === "overBudget") {
        counters.countNotRetained()
        const news = refusals.next("retained")
        const fields = { client: client?.id, topic: packet.topic, ...news }
        if (news !== null) log.warn(fields, "no room to retain a message")
      }
      done()
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
}
