import { z } from "zod"
import { namePattern } from "./names.ts"

const name = z.string().regex(namePattern)
const offset = z.number().int().nonnegative()

export interface PortSettings {
  readonly baudRate: number
  readonly dataBits: 5 | 6 | 7 | 8
  readonly parity: "none" | "even" | "odd"
  readonly stopBits: 1 | 2
  readonly flowControl: "none" | "hardware" | "software"
}

/** What the system knows about the hardware behind a port. Absent: not known. */
export interface PortIdentity {
  /** USB vendor id, four hex digits. */
  readonly vendorId?: string | undefined
  /** USB product id, four hex digits. */
  readonly productId?: string | undefined
  readonly manufacturer?: string | undefined
  readonly product?: string | undefined
  readonly serialNumber?: string | undefined
  /** USB interface number, two hex digits. */
  readonly interface?: string | undefined
}

/** Oldest offset that is kept and the offset of the next byte. */
export interface StreamExtent {
  readonly oldest: number
  readonly head: number
}

/** Retained on `<root>/<gateway>/<device>/state`. */
export interface DeviceState {
  readonly gateway: string
  readonly device: string
  /** The port is open. True only together with its gateway's status. */
  readonly online: boolean
  /** How often the port was opened in this epoch. */
  readonly open: number
  /** Whether the agent opens this port; a port that was only found is shown. */
  readonly configured: boolean
  /** Path or URL. */
  readonly port: string
  readonly identity: PortIdentity
  readonly settings: PortSettings
  /** Modem lines; null when the port has none. */
  readonly lines: Readonly<Record<string, boolean>> | null
  readonly epoch: string
  readonly rx: StreamExtent
  readonly tx: StreamExtent
  readonly lease: { readonly holder: string } | null
  /** Why the port is not open; null while it is. */
  readonly problem: { readonly code: string; readonly message: string } | null
  /** RFC 3339 time of the last change of `online`. */
  readonly since: string
}

/** Retained on `<root>/<gateway>/status`. The last will is `{online: false}`. */
export type GatewayStatus =
  | { readonly online: false }
  | {
      readonly online: true
      readonly instance: string
      readonly version: string
      readonly started: string
      readonly devices: readonly string[]
    }

const extent = z.object({ oldest: offset, head: offset })

export const settingsSchema = z.object({
  baudRate: z.number().int().positive(),
  dataBits: z.union([z.literal(5), z.literal(6), z.literal(7), z.literal(8)]),
  parity: z.enum(["none", "even", "odd"]),
  stopBits: z.union([z.literal(1), z.literal(2)]),
  flowControl: z.enum(["none", "hardware", "software"]),
}) satisfies z.ZodType<PortSettings>

const optionalText = z.string().optional()

export const deviceStateSchema = z.object({
  gateway: name,
  device: name,
  online: z.boolean(),
  open: offset,
  configured: z.boolean(),
  port: z.string(),
  identity: z.object({
    vendorId: optionalText,
    productId: optionalText,
    manufacturer: optionalText,
    product: optionalText,
    serialNumber: optionalText,
    interface: optionalText,
  }),
  settings: settingsSchema,
  lines: z.record(z.string(), z.boolean()).nullable(),
  epoch: z.string(),
  rx: extent,
  tx: extent,
  lease: z.object({ holder: z.string() }).nullable(),
  problem: z.object({ code: z.string(), message: z.string() }).nullable(),
  since: z.string(),
}) satisfies z.ZodType<DeviceState>

export const gatewayStatusSchema = z.union([
  z.object({ online: z.literal(false) }),
  z.object({
    online: z.literal(true),
    instance: z.string(),
    version: z.string(),
    started: z.string(),
    devices: z.array(name),
  }),
]) satisfies z.ZodType<GatewayStatus>

/** Reads a JSON payload against `schema`; undefined when it does not fit (a foreign client may have written it). */
export function parseJsonPayload<T>(schema: z.ZodType<T>, payload: Uint8Array): T | undefined {
  try {
    return schema.safeParse(JSON.parse(new TextDecoder().decode(payload))).data
  } catch {
    // Not JSON: the same answer as JSON of another shape.
    return undefined
  }
}
