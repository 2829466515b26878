import { z } from "zod"
import { maxMarksAtOffset } from "./cursor.ts"
import { AppError, type ErrorCode } from "./errors.ts"
import { type LeaseOutcome, leaseOutcomeSchema } from "./lease-call.ts"
import { type ModemLines, type SettingsInForce, settingsInForceSchema } from "./state.ts"

interface Numbered {
  /** Counts the marks at that offset from 0. */
  readonly n: number
}

/** Names a write: `client` and `id` together are what a repeat of the same call has too. */
interface OfWrite {
  /** The caller's name on the broker; absent: nobody can repeat it. */
  readonly client?: string | undefined
  readonly id: string
  /** Who asked. */
  readonly by: string
  readonly bytes: number
}

/** Things that happen at an offset. */
export type Mark =
  /** The port was opened for the `open`th time. Bytes sent while nobody read the port have no offset. */
  | (Numbered & { readonly kind: "opened"; readonly open: number })
  /** The port was closed or the device went away. `open`: which opening is over; absent in journals from before this was told. */
  | (Numbered & { readonly kind: "closed"; readonly reason: string; readonly open?: number | undefined })
  /** Bytes were lost before anyone could read them; nobody knows how many. */
  | (Numbered & { readonly kind: "overrun" })
  /** The port has new settings, or will have them when it opens. */
  | (Numbered & { readonly kind: "settings"; readonly by: string; readonly settings: SettingsInForce })
  /** Modem lines are different now; `by` is null when the device changed them. */
  | (Numbered & { readonly kind: "lines"; readonly by: string | null; readonly lines: ModemLines })
  /** A break was sent. */
  | (Numbered & { readonly kind: "break"; readonly by: string })
  /** With a purpose, what follows is for programs until the lease is released. */
  | (Numbered & { readonly kind: "leased"; readonly holder: string; readonly purpose?: string | undefined })
  | (Numbered & {
      readonly kind: "released"
      readonly holder: string
      readonly purpose?: string | undefined
      /** `stopped`: the agent was, and leases end with it. */
      readonly reason: "released" | "expired" | "stolen" | "stopped"
      /** Of `released`: what the lease was taken for was not done. */
      readonly outcome?: LeaseOutcome | undefined
    })
  /** In the `tx` stream: the next `bytes` bytes, or the first of them, are this write's. */
  | (Numbered & OfWrite & { readonly kind: "started" })
  /** In the `tx` stream: all `bytes` bytes of a write left the kernel. */
  | (Numbered & OfWrite & { readonly kind: "drained" })
  /**
   * In the `tx` stream: a write that was not, or not wholly, sent. `bytes` of it were. With `count`, so many more were refused
   * since the mark before it, of which this is the last one, and none of which was begun.
   */
  | (Numbered &
      OfWrite & { readonly kind: "refused"; readonly code: ErrorCode; readonly count?: number | undefined })
  /** In the `tx` stream: the port takes nothing: a device that flow control lets, or nobody, reads it. */
  | (Numbered & { readonly kind: "held" })
  /** In the `tx` stream: the port takes bytes again, and the write that was held goes on where it stopped. */
  | (Numbered & { readonly kind: "resumed" })
  /** The wall clock was set by so much, forward or back, or the machine slept: earlier times are of another clock. */
  | (Numbered & { readonly kind: "clock"; readonly stepMs: number })
  /** A kind that this version does not know. */
  | (Numbered & { readonly kind: "other"; readonly name: string })

const n = z
  .number()
  .int()
  .nonnegative()
  .max(maxMarksAtOffset - 1)
const ofWrite = {
  client: z.string().optional(),
  id: z.string(),
  by: z.string(),
  bytes: z.number().int().nonnegative(),
}
const markSchema = z.discriminatedUnion("kind", [
  z.object({ n, kind: z.literal("opened"), open: z.number().int().positive() }),
  z.object({
    n,
    kind: z.literal("closed"),
    reason: z.string(),
    open: z.number().int().positive().optional(),
  }),
  z.object({ n, kind: z.literal("overrun") }),
  z.object({ n, kind: z.literal("settings"), by: z.string(), settings: settingsInForceSchema }),
  z.object({
    n,
    kind: z.literal("lines"),
    by: z.string().nullable(),
    lines: z.record(z.string(), z.boolean()),
  }),
  z.object({ n, kind: z.literal("break"), by: z.string() }),
  z.object({ n, kind: z.literal("leased"), holder: z.string(), purpose: z.string().optional() }),
  z.object({
    n,
    kind: z.literal("released"),
    holder: z.string(),
    purpose: z.string().optional(),
    reason: z.enum(["released", "expired", "stolen", "stopped"]),
    outcome: leaseOutcomeSchema.optional(),
  }),
  z.object({ n, kind: z.literal("held") }),
  z.object({ n, kind: z.literal("resumed") }),
  z.object({ n, kind: z.literal("clock"), stepMs: z.number().int() }),
  z.object({ n, kind: z.literal("started"), ...ofWrite }),
  z.object({ n, kind: z.literal("drained"), ...ofWrite }),
  z.object({
    n,
    kind: z.literal("refused"),
    ...ofWrite,
    code: z.string(),
    count: z.number().int().positive().optional(),
  }),
])
const knownKinds: ReadonlySet<string> = new Set(
  markSchema.options.flatMap(({ shape }) => [...shape.kind.values]),
)
const unknownSchema = z.object({ n, kind: z.string() })

/** A mark of a newer version's kind is `other`. Throws `bad_message` when `wire` is no mark. */
export function parseMark(wire: unknown): Mark {
  const parsed = markSchema.safeParse(wire)
  // The catalogue may have grown on the other side, so codes are checked by nobody.
  if (parsed.success) return parsed.data as Mark
  const unknown = unknownSchema.safeParse(wire)
  if (unknown.success && !knownKinds.has(unknown.data.kind))
    return { n: unknown.data.n, kind: "other", name: unknown.data.kind }
  throw new AppError("bad_message", `Not a mark: ${z.prettifyError(parsed.error)}`)
}
