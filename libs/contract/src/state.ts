import { z } from "zod"
import { namePattern } from "./names.ts"

const name = z.string().regex(namePattern)
const offset = z.number().int().nonnegative()

export interface PortSettings {
  readonly baudRate: number
  readonly dataBits: 5 | 6 | 7 | 8
  readonly parity: "none" | "even" | "odd" | "mark" | "space"
  readonly stopBits: 1 | 2
  readonly flowControl: "none" | "hardware" | "software"
}

/** Settings as a port has them. */
export interface SettingsInForce extends PortSettings {
  /**
   * Names of those that the port was asked for last and did not take: their values above are what it has instead, or what
   * it was asked for where it does not tell. Absent: it took all.
   */
  readonly unsupported?: readonly string[] | undefined
}

/**
 * Modem lines by name: `dtr` and `rts` as the agent set them, `cts`, `dsr`, `dcd` and `ri` as the device drives them. A
 * line that the port cannot tell is absent.
 */
export type ModemLines = Readonly<Record<string, boolean>>

/** How a device's bytes are cut into messages. Longer ones than `maxBytes` are cut there. */
export type Framing =
  /** Ends with \n; a \r before it is cut off. */
  | { readonly type: "line"; readonly maxBytes: number }
  /** Ends with these bytes (hex), which are cut off. */
  | { readonly type: "delimiter"; readonly delimiter: string; readonly maxBytes: number }
  /** Every `length` bytes, counted from the last `opened` mark before them. */
  | { readonly type: "fixed"; readonly length: number }
  /** Ends with a silence between two reads of the port. */
  | { readonly type: "idle"; readonly idleMs: number; readonly maxBytes: number }
  /** RFC 1055. */
  | { readonly type: "slip"; readonly maxBytes: number }

/** What the agent keeps of a device on disk. */
export interface JournalHealth {
  /** Size of both streams with their index, in bytes. */
  readonly bytes: number
  /** Why new bytes are not kept; null while they are. */
  readonly problem: { readonly code: string; readonly message: string } | null
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
  /** Paths below /dev/serial that lead to the port: by-id names the device, by-path where it is plugged in. */
  readonly links?: readonly string[] | undefined
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
  /** Of a port that is not open: those that it will be asked for. */
  readonly settings: SettingsInForce
  /** Modem lines; null when the port has none. */
  readonly lines: ModemLines | null
  /** RFC 3339 time since when the port takes none of what is to be written: flow control holds it. Null: nothing waits so. */
  readonly heldSince: string | null
  /** Null: the bytes are not cut into messages. */
  readonly framing: Framing | null
  readonly epoch: string
  /**
   * Offset in `rx` at which the port was opened last: from there messages of a fixed length are counted. Absent: this agent
   * has not opened it yet.
   */
  readonly openedAt?: number | undefined
  readonly rx: StreamExtent
  readonly tx: StreamExtent
  readonly lease: LeaseInForce | null
  readonly journal: JournalHealth
  /** Why the port is not open, or who else has it open; null while nothing is wrong with it. */
  readonly problem: { readonly code: string; readonly message: string } | null
  /** RFC 3339 time of the last change of `online`. */
  readonly since: string
}

/** A lease as everyone sees it. */
export interface LeaseInForce {
  readonly holder: string
  /** What programs do under it; absent: a person writes. */
  readonly purpose?: string | undefined
  /** Offset in `rx` at which it was taken. Absent: the agent is of before this was told. */
  readonly from?: number | undefined
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

// Above what any port does; the kernel's field for it has 32 bits, which larger numbers wrap around in.
const maxBaudRate = 50_000_000

const extent = z.object({ oldest: offset, head: offset })

export const settingsSchema = z.object({
  baudRate: z.number().int().positive().max(maxBaudRate),
  dataBits: z.union([z.literal(5), z.literal(6), z.literal(7), z.literal(8)]),
  parity: z.enum(["none", "even", "odd", "mark", "space"]),
  stopBits: z.union([z.literal(1), z.literal(2)]),
  flowControl: z.enum(["none", "hardware", "software"]),
}) satisfies z.ZodType<PortSettings>

export const settingsInForceSchema = settingsSchema.extend({
  // Any names: newer agents may know more settings.
  unsupported: z.array(z.string()).optional(),
}) satisfies z.ZodType<SettingsInForce>

const maxFrame = 60_000
const maxBytes = z.number().int().min(1).max(maxFrame).default(4096).describe("Longest message, in bytes")
const expectedFraming = "expected line, delimiter, fixed, idle or slip"
export const framingSchema = z.discriminatedUnion(
  "type",
  [
    z.strictObject({ type: z.literal("line"), maxBytes }),
    z.strictObject({
      type: z.literal("delimiter"),
      delimiter: z
        .string()
        .regex(/^(?:[0-9A-Fa-f]{2}){1,16}$/, "expected 1 to 16 bytes in hex, like 0D0A")
        .describe("Bytes that end a message, in hex"),
      maxBytes,
    }),
    z.strictObject({ type: z.literal("fixed"), length: z.number().int().min(1).max(maxFrame) }),
    z.strictObject({ type: z.literal("idle"), idleMs: z.number().int().min(1).max(60_000), maxBytes }),
    z.strictObject({ type: z.literal("slip"), maxBytes }),
  ],
  { error: ({ code }) => (code === "invalid_union" ? expectedFraming : undefined) },
) satisfies z.ZodType<Framing>

const problem = z.object({ code: z.string(), message: z.string() }).nullable()

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
    links: z.array(z.string()).optional(),
  }),
  settings: settingsInForceSchema,
  lines: z.record(z.string(), z.boolean()).nullable(),
  // Agents of before did not tell.
  heldSince: z.string().nullable().default(null),
  framing: framingSchema.nullable(),
  epoch: z.string(),
  openedAt: offset.optional(),
  rx: extent,
  tx: extent,
  lease: z.object({ holder: z.string(), purpose: z.string().optional(), from: offset.optional() }).nullable(),
  journal: z.object({ bytes: offset, problem }),
  problem,
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
