import type { BrokerClient } from "@serialcast/broker-client"
import { type RequestEvent, valueToJson } from "@serialcast/resources"

/** What admits somebody is nobody else's business. */
const secretHeaders = new Set(["authorization", "cookie", "proxy-authorization"])

/** The JSON of a request that was answered; its body as text, or with `enc` base64 as that. */
export function encodeEvent(
  { uri, method, headers, body, newUri, status }: RequestEvent,
  atMs: number,
): string {
  const shown = Object.entries(headers).filter(([name]) => !secretHeaders.has(name.toLowerCase()))
  return JSON.stringify({
    uri,
    method,
    headers: Object.fromEntries(shown),
    ...bodyOf(body),
    newUri,
    status,
    ts: atMs,
  })
}

/** Tells everybody on the broker of a request that was answered. Nobody waits for it: its client has its answer. */
export async function tellEvent(
  broker: Pick<BrokerClient, "publish" | "topics">,
  event: RequestEvent,
  atMs: number,
): Promise<void> {
  const payload = new TextEncoder().encode(encodeEvent(event, atMs))
  await broker.publish(broker.topics.resourceEvent(event.uri), payload)
}

function bodyOf(bytes: Uint8Array): { readonly body: string; readonly enc?: "base64" } {
  const { enc, v } = valueToJson(bytes)
  return enc === "base64" ? { body: v, enc } : { body: v }
}
