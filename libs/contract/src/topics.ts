import { BoundedMap } from "@serialcast/primitives"
import { type DeviceAddress, isName } from "./names.ts"
import { levelsOfUri, uriOfLevels } from "./resource-levels.ts"

/** Calls that an agent may be asked; `call/<verb>/<client>`. */
export const callVerbs = [
  "write",
  "cancel",
  "history",
  "search",
  "configure",
  "signal",
  "lines",
  "purge",
  "lease",
  "release",
] as const
export type CallVerb = (typeof callVerbs)[number]

export type TopicKind =
  | "status"
  | "state"
  | "availability"
  | "rx"
  | "line"
  | "cut"
  | "tx"
  | "stream"
  | "call"
  | "reply"
  | "tunnels"
  | "discover"
  | "resource"
  | "resourceEvent"
  | "resourceIndex"
  | "resourceCommand"

/** Topics of one device, of which each has one. */
type DeviceTopicKind = "state" | "availability" | "rx" | "line" | "cut" | "tx" | "stream"

export interface TopicRule {
  /** Levels below the root; those in braces are names, but `{path}`: the segments of a URI. */
  readonly pattern: string
  /** One QoS per topic: mixing them destroys order while a client reconnects. */
  readonly qos: 0 | 1
  readonly retain: boolean
  readonly from: string
  readonly to: string
  readonly payload: string
}

/** The broker contract as one table. Builders, parsers and the reference page derive from it. */
export const topicTable = {
  status: {
    pattern: "{gateway}/status",
    qos: 1,
    retain: true,
    from: "agent",
    to: "all",
    payload: 'JSON gateway status; the last will is `{"online":false}`',
  },
  state: {
    pattern: "{gateway}/{device}/state",
    qos: 1,
    retain: true,
    from: "agent",
    to: "all",
    payload: "JSON device state",
  },
  availability: {
    pattern: "{gateway}/{device}/availability",
    qos: 1,
    retain: true,
    from: "agent",
    to: "anyone",
    payload:
      "`online` while the port is open, else `offline`, bare; the last will is `offline`, so that it holds without the agent too",
  },
  rx: {
    pattern: "{gateway}/{device}/rx",
    qos: 0,
    retain: false,
    from: "agent",
    to: "anyone",
    payload: "the bare bytes",
  },
  line: {
    pattern: "{gateway}/{device}/line",
    qos: 0,
    retain: false,
    from: "agent",
    to: "anyone",
    payload:
      "one framed message, bare and whole; those of a fixed length are counted from the last `opened` mark before them (`openedAt` of the state is where the newest one stands)",
  },
  cut: {
    pattern: "{gateway}/{device}/line/cut",
    qos: 0,
    retain: false,
    from: "agent",
    to: "anyone",
    payload:
      "what is not known to be a whole message, bare: a piece of one (longer than `maxBytes`, cut by an unplug, its begin not seen), or what breaks SLIP",
  },
  tx: {
    pattern: "{gateway}/{device}/tx",
    qos: 1,
    retain: false,
    from: "anyone",
    to: "agent",
    payload: "the bare bytes of one write; retained ones are ignored",
  },
  stream: {
    pattern: "{gateway}/{device}/stream",
    qos: 0,
    retain: false,
    from: "agent",
    to: "services",
    payload: "CBOR chunk, with the times of its reads, or mark",
  },
  call: {
    pattern: "{gateway}/{device}/call/{verb}/{client}",
    qos: 0,
    retain: false,
    from: "services",
    to: "agent",
    payload: "CBOR or JSON request",
  },
  reply: {
    pattern: "_clients/{client}/reply",
    qos: 0,
    retain: false,
    from: "agent",
    to: "caller",
    payload: "CBOR or JSON reply",
  },
  tunnels: {
    pattern: "_tunnels/{client}",
    qos: 1,
    retain: true,
    from: "tunnel services",
    to: "services",
    payload: "JSON report of one service's tunnels; the last will is empty, which takes it back",
  },
  discover: {
    pattern: "_discover",
    qos: 0,
    retain: false,
    from: "services",
    to: "agents, tunnel services",
    payload:
      "JSON `{client}`; on its reply topic, agents answer what they have, tunnel services `{client, tunnels}`",
  },
  resource: {
    pattern: "_resources/{path}",
    qos: 1,
    retain: true,
    from: "anyone",
    to: "anyone",
    payload:
      'JSON resource of the resource server, `{"v":"21.5"}` at least; empty: there is none any more. `+`, `#` and `%` of a URI are percent-encoded in its topic',
  },
  resourceEvent: {
    pattern: "_resource-events/{path}",
    qos: 1,
    retain: false,
    from: "resource servers",
    to: "anyone",
    payload: "JSON `{uri, method, headers, body, newUri, status}` of a request that was answered",
  },
  resourceIndex: {
    pattern: "_resource-index/{shard}",
    qos: 1,
    retain: true,
    from: "resource servers",
    to: "resource servers",
    payload: "JSON list of those URIs of which the hash ends so",
  },
  resourceCommand: {
    pattern: "_resource-commands",
    qos: 1,
    retain: false,
    from: "resource servers",
    to: "resource servers",
    payload: "JSON: what each of them does then, in the broker's order",
  },
} as const satisfies Record<TopicKind, TopicRule>

/** A topic with the QoS and retained flag that the contract gives it. */
export interface Destination {
  readonly topic: string
  readonly qos: 0 | 1
  readonly retain: boolean
}

export type ParsedTopic =
  | { readonly kind: "status"; readonly gateway: string }
  | ({ readonly kind: DeviceTopicKind } & DeviceAddress)
  | ({ readonly kind: "call"; readonly verb: string; readonly client: string } & DeviceAddress)
  | { readonly kind: "reply" | "tunnels"; readonly client: string }
  | { readonly kind: "discover" | "resourceCommand" }
  | { readonly kind: "resource" | "resourceEvent"; readonly uri: string }
  | { readonly kind: "resourceIndex"; readonly shard: string }

type Levels = Readonly<Partial<Record<"gateway" | "device" | "verb" | "client" | "shard", string>>>

/** Builders, filters and the parser for every topic below one root. */
export interface Topics {
  readonly root: string
  status(gateway: string): Destination
  device(kind: DeviceTopicKind, address: DeviceAddress): Destination
  call(verb: CallVerb, address: DeviceAddress, client: string): Destination
  reply(client: string): Destination
  tunnels(client: string): Destination
  discover(): Destination
  /** Of a URI in its canonical form, decoded, as `/res/12345`; of `/` the topic has no level for it. */
  resource(uri: string): Destination
  resourceEvent(uri: string): Destination
  resourceIndex(shard: string): Destination
  resourceCommand(): Destination
  /** Filter for all topics of a kind, narrowed to the levels given. */
  filter(kind: TopicKind, levels?: Levels): Destination
  /** undefined when the topic is not one of the contract's. */
  parse(topic: string): ParsedTopic | undefined
}

export const defaultRoot = "serialcast"

/** Each call and each reply needs its topic again; more than a gateway of 64 devices has. */
const maxKnown = 1_024

/** Throws RangeError, as the builders do, when a level is not a name. */
export function createTopics(root: string = defaultRoot): Topics {
  if (!isName(root)) throw notAName("root", root)
  const known = new BoundedMap<string, Destination>(maxKnown)
  const build = (kind: TopicKind, levels: Levels, missing?: string): Destination => {
    const key = `${kind} ${levels.gateway} ${levels.device} ${levels.verb} ${levels.client} ${levels.shard} ${missing}`
    const found = known.get(key)
    if (found !== undefined) return found
    const { pattern, qos, retain }: TopicRule = topicTable[kind]
    const path = pattern.replace("{path}", "#").replaceAll(/\{(\w+)\}/g, (_, level: keyof Levels) => {
      const value = levels[level] ?? missing
      if (value === undefined || (value !== missing && !isName(value))) throw notAName(level, value)
      return value
    })
    const destination = { topic: `${root}/${path}`, qos, retain }
    known.set(key, destination)
    return destination
  }
  const buildForUri = (kind: "resource" | "resourceEvent", uri: string): Destination => {
    const { pattern, qos, retain }: TopicRule = topicTable[kind]
    return { topic: [root, pattern.replace("/{path}", ""), ...levelsOfUri(uri)].join("/"), qos, retain }
  }
  return {
    root,
    status: (gateway) => build("status", { gateway }),
    device: (kind, { gateway, device }) => build(kind, { gateway, device }),
    call: (verb, { gateway, device }, client) => build("call", { gateway, device, verb, client }),
    reply: (client) => build("reply", { client }),
    tunnels: (client) => build("tunnels", { client }),
    discover: () => build("discover", {}),
    resource: (uri) => buildForUri("resource", uri),
    resourceEvent: (uri) => buildForUri("resourceEvent", uri),
    resourceIndex: (shard) => build("resourceIndex", { shard }),
    resourceCommand: () => build("resourceCommand", {}),
    filter: (kind, levels = {}) => build(kind, levels, "+"),
    parse: (topic) =>
      topic.startsWith(`${root}/`) ? parseLevels(topic.slice(root.length + 1).split("/")) : undefined,
  }
}

function notAName(level: string, found: string | undefined): RangeError {
  return new RangeError(
    `topic level ${level} must match [a-z0-9][a-z0-9_-]{0,63}, found ${JSON.stringify(found)}`,
  )
}

function parseLevels(levels: readonly string[]): ParsedTopic | undefined {
  const [gateway = "", device = "", kind = "", verb = "", client = ""] = levels
  if (gateway.startsWith("_resource")) return parseResourceLevels(levels)
  if (gateway === "_discover") return levels.length === 1 ? { kind: "discover" } : undefined
  if (gateway === "_clients") {
    return levels.length === 3 && kind === "reply" && isName(device)
      ? { kind: "reply", client: device }
      : undefined
  }
  if (gateway === "_tunnels")
    return levels.length === 2 && isName(device) ? { kind: "tunnels", client: device } : undefined
  if (!isName(gateway)) return undefined
  if (levels.length === 2) return device === "status" ? { kind: "status", gateway } : undefined
  if (!isName(device)) return undefined
  switch (kind) {
    case "line":
      if (levels.length === 4 && verb === "cut") return { kind: "cut", gateway, device }
      return levels.length === 3 ? { kind, gateway, device } : undefined
    case "state":
    case "availability":
    case "rx":
    case "tx":
    case "stream":
      return levels.length === 3 ? { kind, gateway, device } : undefined
    case "call":
      return levels.length === 5 && isName(verb) && isName(client)
        ? { kind, gateway, device, verb, client }
        : undefined
    default:
      return undefined
  }
}

function parseResourceLevels([first, ...rest]: readonly string[]): ParsedTopic | undefined {
  const [shard = ""] = rest
  switch (first) {
    case "_resources":
    case "_resource-events": {
      const uri = uriOfLevels(rest)
      return uri === undefined
        ? undefined
        : { kind: first === "_resources" ? "resource" : "resourceEvent", uri }
    }
    case "_resource-index":
      return rest.length === 1 && isName(shard) ? { kind: "resourceIndex", shard } : undefined
    case "_resource-commands":
      return rest.length === 0 ? { kind: "resourceCommand" } : undefined
    default:
      return undefined
  }
}
