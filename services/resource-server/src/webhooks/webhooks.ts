import { randomUUID } from "node:crypto"
import type { Clock } from "@serialcast/primitives"
import { parseTarget, type Refusal, type RequestEvent, type RequestHead } from "@serialcast/resources"
import {
  Counter,
  type Logger,
  RefusalLog,
  type Registry,
  version,
  type WebhookConfig,
} from "@serialcast/service-kit"
import { encodeEvent } from "../events/tell-event.ts"
import { deliveryHeader, type HookOutcome, Webhook } from "./webhook.ts"

/** A webhook of the configuration, with its secret read. */
export interface ReadyWebhook extends Omit<WebhookConfig, "secret"> {
  readonly secret: Uint8Array
}

export interface WebhooksDeps {
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: Registry
  /** Uniform in [0, 1). */
  readonly random?: () => number
}

/** Tells whoever asked for it of requests that were answered. */
export interface Webhooks {
  /** `atMs`: when it was answered, wall time. Nobody waits for it. */
  tell(event: RequestEvent, atMs: number): void
  /** Refuses a webhook's request for what a webhook tells of: an event would make the next one, without an end. */
  check(request: RequestHead): Refusal | undefined
  /** Takes a second and a bit at most. */
  stop(): Promise<void>
}

/** RFC 5842 §7.2. */
const loop: Refusal = {
  status: 508,
  message: "Let the webhook tell another address: this one is a resource that a webhook tells of.",
}

export function createWebhooks(hooks: readonly ReadyWebhook[], deps: WebhooksDeps): Webhooks {
  const { clock, random = Math.random } = deps
  const report = createReport(deps)
  const running = hooks.map((hook, at) => {
    const { url, secret } = hook
    const onOutcome = (outcome: HookOutcome) => report(hook, at, outcome)
    const hookDeps = { clock, random, newId: randomUUID, onOutcome }
    return { hook, webhook: new Webhook({ url: new URL(url), secret, version }, hookDeps) }
  })
  return {
    tell(event, atMs) {
      const asked = running.filter(({ hook }) => isMeant(hook, event))
      if (asked.length === 0) return
      const body = new TextEncoder().encode(encodeEvent(event, atMs))
      for (const { webhook } of asked) webhook.tell(body)
    },
    check({ method, target, headers }) {
      if (headers[deliveryHeader.toLowerCase()] === undefined) return undefined
      const parsed = parseTarget(target)
      if (parsed.kind !== "resource") return undefined
      const { uri } = parsed
      return hooks.some((hook) => isMeant(hook, { uri, method })) ? loop : undefined
    },
    async stop() {
      await Promise.all(running.map(({ webhook }) => webhook.stop()))
    },
  }
}

function isMeant(
  { uri, methods, recursive }: ReadyWebhook,
  event: { readonly uri: string; readonly method: string },
): boolean {
  if (!methods.some((method) => method === event.method)) return false
  return event.uri === uri || (recursive && (uri === "/" || event.uri.startsWith(`${uri}/`)))
}

/** Counts each outcome, and tells of a webhook's trouble now and then: its URL may be a secret, and is not shown. */
function createReport({ clock, log, metrics }: WebhooksDeps) {
  const lines = new RefusalLog(clock)
  const counter = new Counter({
    name: "serialcast_resource_webhook_events_total",
    help: "Events for webhooks by the resource of the configuration and what became of them: delivered, failed or dropped.",
    labelNames: ["uri", "outcome"],
    registers: [metrics],
  })
  return ({ uri }: ReadyWebhook, at: number, outcome: HookOutcome) => {
    counter.inc({ uri, outcome: outcome.kind })
    if (outcome.kind === "delivered") return
    const line = lines.next(`${at} ${outcome.kind}`)
    if (line === null) return
    const { kind, ...rest } = outcome
    const what = kind === "dropped" ? "dropped, as too many wait" : "given up"
    log.warn(
      { webhook: `resources.webhooks.${at}`, uri, ...rest, ...line },
      `an event for a webhook was ${what}`,
    )
  }
}
