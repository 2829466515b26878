import type { DeviceState, TunnelClient, TunnelState } from "@serialcast/contract"
import { escapeControls } from "../terminal/escape-controls.ts"

/** What is known of a bridge at one time. */
export interface BridgeView {
  readonly device: DeviceState | undefined
  readonly tunnel: TunnelState
  /** The other end of the cable has answered once; true where there is no cable. */
  readonly isFound: boolean
}

/** What is known now, after `before`. */
export function lookAt(now: Pick<BridgeView, "device" | "tunnel">, before?: BridgeView): BridgeView {
  return { ...now, isFound: before?.isFound === true || now.tunnel.link !== "synchronising" }
}

/** What happened between two looks at a bridge, in words, each on one line with nothing that a terminal would obey. */
export function bridgeNews(before: BridgeView, now: BridgeView): readonly string[] {
  const news = [
    ...clientNews(before.tunnel, now.tunnel),
    ...troubleNews(before, now),
    // Later the two ends find each other again after each connection, which is no news.
    ...(now.isFound && !before.isFound ? ["The other end of the cable answers."] : []),
  ]
  return news.map((line) => escapeControls(line).replaceAll("\n", " "))
}

/** Why nothing can pass now; null: it can. */
export function troubleOf({ device, tunnel }: Pick<BridgeView, "device" | "tunnel">): string | null {
  if (device !== undefined && !device.online) return device.problem?.message ?? "The device is not open."
  return tunnel.problem?.message ?? null
}

function clientNews(before: TunnelState, now: TunnelState): readonly string[] {
  const known = clientsByKey(before)
  const present = clientsByKey(now)
  const refused = now.totals.refusedClients - before.totals.refusedClients
  return [
    ...[...known].flatMap(([key, client]) => (present.has(key) ? [] : [`${client.peer} disconnected`])),
    ...[...present].flatMap(([key, client]) => (known.has(key) ? [] : [`${client.peer} connected`])),
    ...(refused === 0 ? [] : [`${refused} ${refused === 1 ? "client was" : "clients were"} turned away`]),
  ]
}

function clientsByKey({ clients }: TunnelState): ReadonlyMap<string, TunnelClient> {
  return new Map(clients.map((client) => [`${client.peer} ${client.since}`, client]))
}

function troubleNews(before: BridgeView, now: BridgeView): readonly string[] {
  const trouble = troubleOf(now)
  if (trouble === troubleOf(before)) return []
  return [trouble ?? "It works again."]
}
