import type { BrokerClient } from "@serialcast/broker-client"
import type { RequestEvent } from "@serialcast/resources"
import { RefusalLog } from "@serialcast/service-kit"
import { createWebhooks, type ReadyWebhook, type Webhooks, type WebhooksDeps } from "../webhooks/webhooks.ts"
import { tellEvent } from "./tell-event.ts"

export interface RequestTeller {
  /** Of a request that was just answered. Nobody waits for it: its client has its answer. */
  readonly tell: (event: RequestEvent) => void
  /** Refuses what would be told without an end. */
  readonly check: Webhooks["check"]
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
  const lines = new RefusalLog(clock)
  return {
    tell(event) {
      const atMs = clock.nowMs()
      webhooks.tell(event, atMs)
      tellEvent(broker, event, atMs).catch((error: unknown) => {
        // Told sparsely: while the broker is away it is so of each request.
        const line = lines.next("")
        if (line !== null)
          log.warn({ uri: event.uri, reason: String(error), ...line }, "nobody was told of a request")
      })
    },
    check: (request) => webhooks.check(request),
    stop: () => webhooks.stop(),
  }
}
