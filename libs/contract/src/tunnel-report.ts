import { z } from "zod"

/** What a tunnel speaks towards TCP. */
export const tunnelTypes = ["raw", "rfc2217", "serialtcp-server", "serialtcp-client"] as const
export type TunnelType = (typeof tunnelTypes)[number]

/** One TCP connection of a tunnel. */
export interface TunnelClient {
  /** `host:port` of the other end. */
  readonly peer: string
  /** RFC 3339 time of its beginning. */
  readonly since: string
  /** Bytes from the client that the device's gateway took, and bytes of the device that were sent to the client. */
  readonly bytes: { readonly fromClient: number; readonly toClient: number }
  /** Bytes from the client that did not reach the device: it was unplugged, or somebody else had control. */
  readonly refusedBytes: number
  /** It holds the right to write and to change settings, while other clients of the tunnel watch. */
  readonly hasControl: boolean
}

/** One tunnel as its service sees it now. */
export interface TunnelState {
  readonly type: TunnelType
  /** `host:port` where it listens, or, of a `serialtcp-client`, that it dials. */
  readonly endpoint: string
  /** `<gateway>/<device>` */
  readonly device: string
  /** What keeps it from working; null: nothing. */
  readonly problem: { readonly code: string; readonly message: string } | null
  /** Where a serialtcp tunnel stands with the other end of its cable; null for other tunnels. */
  readonly link: "synchronising" | "idle" | "connecting" | "connected" | null
  /** How many clients it has; more than `clients` lists when there are very many. */
  readonly clientCount: number
  readonly clients: readonly TunnelClient[]
  /** Since the service started, clients of the past included. */
  readonly totals: {
    readonly clients: number
    readonly refusedClients: number
    readonly fromClients: number
    readonly toClients: number
    readonly refusedBytes: number
  }
}

/** What one tunnel service tells of itself, retained on `<root>/_tunnels/<client>`. */
export interface TunnelReport {
  /** RFC 3339 time of the service's start. */
  readonly started: string
  readonly tunnels: readonly TunnelState[]
}

/** How many connections a report lists in all: it has to fit into one message. */
export const maxReportedClients = 200

const count = z.number().int().nonnegative()

const clientSchema = z.object({
  peer: z.string(),
  since: z.string(),
  bytes: z.object({ fromClient: count, toClient: count }),
  refusedBytes: count,
  hasControl: z.boolean(),
}) satisfies z.ZodType<TunnelClient>

const tunnelSchema = z.object({
  type: z.enum(tunnelTypes),
  endpoint: z.string(),
  device: z.string(),
  problem: z.object({ code: z.string(), message: z.string() }).nullable(),
  link: z.enum(["synchronising", "idle", "connecting", "connected"]).nullable(),
  clientCount: count,
  clients: z.array(clientSchema),
  totals: z.object({
    clients: count,
    refusedClients: count,
    fromClients: count,
    toClients: count,
    refusedBytes: count,
  }),
}) satisfies z.ZodType<TunnelState>

export const tunnelReportSchema = z.object({
  started: z.string(),
  tunnels: z.array(tunnelSchema),
}) satisfies z.ZodType<TunnelReport>
