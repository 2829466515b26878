import { AppError, type Topics, topicTable } from "@serialcast/contract"
import type { RetainedBudget } from "./retained-budget.ts"

/** The part of a PUBLISH, or of a will, that the rules judge. */
export interface Publication {
  readonly topic: string
  readonly payload: string | Uint8Array
  readonly retain: boolean
}

export interface PublishRules {
  readonly topics: Topics
  readonly retained: RetainedBudget
}

/** Whether a client may publish there: topics with wildcards are for subscriptions, and those that start with `$` the broker's. */
export function mayPublish(topic: string): boolean {
  return /^[^$#+][^#+]*$/.test(topic)
}

/**
 * What becomes of a client's message: `refused` ends the connection, for MQTT 3.1.1 has no other refusal; `passOn`
 * delivers it to whoever is subscribed now; `retain` also keeps it. A call or a write that waited for its device would
 * reach it at a time that nobody chose, so what the contract does not retain is not retained.
 */
export function judgePublication(
  { topic, payload, retain }: Publication,
  { topics, retained }: PublishRules,
):
  | { readonly action: "passOn" | "retain" | "overBudget" }
  | { readonly action: "refuse"; readonly error: AppError } {
  if (!mayPublish(topic)) {
    // MQTT 3.1.1 §4.7.1 and §4.7.2.
    const error = new AppError(
      "bad_request",
      "Topics that start with $ belong to the broker; + and # are for subscriptions.",
    )
    return { action: "refuse", error }
  }
  if (!retain) return { action: "passOn" }
  const kind = topics.parse(topic)?.kind
  if (kind !== undefined && !topicTable[kind].retain) return { action: "passOn" }
  const hasRoom = retained.admit(topic, Buffer.byteLength(payload), kind !== undefined)
  return { action: hasRoom ? "retain" : "overBudget" }
}
