import type { BrokerClient } from "@serialcast/broker-client"
import type { RequestEvent } from "@serialcast/resources"
import { createWebhooks, type ReadyWebhook, type WebhooksDeps } from "../webhooks/webhooks.ts"
import { tellEvent } from "./tell-event.ts"

export interface RequestTeller {
  /** Of a request that was just answered. Nobody waits for it: its client has its answer. */
  readonly tell: (event: RequestEvent) => void
  /** Takes a second and a bit at most. */
  stop(): Promise<void>
}

/** Tells everybody on the broker, and the webhooks that are meant, of requests. */
export function createRequestTeller(
  broker: Pick<BrokerClient, "publish" | "topics">,
  hooks: readonly ReadyWebhook[],
  deps: WebhooksDeps,
): RequestTeller {
  const { clock, log } = deps
  const webhooks = createWebhooks(hooks, deps)
  return {
    tell(event) {
      const atMs = clock.nowMs()
      webhooks.tell(event, atMs)
      tellEvent(broker, event, atMs).catch((error: unknown) =>
        log.warn({ uri: event.uri, reason: String(error) }, "nobody was told of a request"),
      )
    },
    stop: () => webhooks.stop(),
  }
}
