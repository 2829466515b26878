import { z } from "zod"
import { callBy, callId, inSession, isInSession, sessionAndSeq, underLease } from "./call-fields.ts"
import { maxMacroText } from "./line-macro.ts"
import { checkReply } from "./reply.ts"
import {
  type ModemLines,
  type PortSettings,
  type SettingsInForce,
  settingsInForceSchema,
  settingsSchema,
} from "./state.ts"

/** What every change of a port carries: its turn comes after the writes before it, unless `now`. */
interface Control {
  readonly id: string
  readonly by: string
  readonly session?: string | undefined
  readonly seq?: number | undefined
  readonly lease?: string | undefined
  /** The open count it is meant for; at another count it is refused as `expired`. */
  readonly open?: number | undefined
  readonly now: boolean
}

/** Changes settings of the port until the agent ends; what is absent stays. */
export interface ConfigureRequest extends Control {
  readonly settings: { readonly [Key in keyof PortSettings]?: PortSettings[Key] | undefined }
}

/** Sets modem lines, or plays a macro of them. Absent lines stay. */
export interface SignalRequest extends Control {
  readonly dtr?: boolean | undefined
  readonly rts?: boolean | undefined
  /** true: starts a break; false: ends it. */
  readonly break?: boolean | undefined
  /** `parseLineMacro` */
  readonly macro?: string | undefined
}

/** Asks for the modem lines as they are now. */
export interface LinesRequest {
  readonly id: string
  readonly by: string
}

/** Drops what was written and not sent: the port's output buffer, and the caller's writes that wait. */
export interface PurgeRequest {
  readonly id: string
  readonly by: string
  readonly lease?: string | undefined
}

const control = {
  id: callId,
  by: callBy,
  ...inSession,
  ...underLease,
  open: z.number().int().nonnegative().optional(),
  now: z.boolean().default(false),
}

export const configureRequestSchema = z
  .strictObject({
    ...control,
    settings: z.strictObject(settingsSchema.shape).partial(),
  })
  .refine(isInSession, sessionAndSeq) satisfies z.ZodType<ConfigureRequest>

export const signalRequestSchema = z
  .strictObject({
    ...control,
    dtr: z.boolean().optional(),
    rts: z.boolean().optional(),
    break: z.boolean().optional(),
    macro: z.string().max(maxMacroText).optional(),
  })
  .refine(isInSession, sessionAndSeq)
  .refine(({ macro, ...lines }) => (macro === undefined) !== (countLines(lines) === 0), {
    error: "give lines (dtr, rts, break) or a macro",
  }) satisfies z.ZodType<SignalRequest>

function countLines(lines: Pick<SignalRequest, "dtr" | "rts" | "break">): number {
  return [lines.dtr, lines.rts, lines.break].filter((line) => line !== undefined).length
}

export const linesRequestSchema = z.strictObject({ id: callId, by: callBy }) satisfies z.ZodType<LinesRequest>

export const purgeRequestSchema = z.strictObject({
  id: callId,
  by: callBy,
  ...underLease,
}) satisfies z.ZodType<PurgeRequest>

const settingsReply = z.object({ settings: settingsInForceSchema })
const linesReply = z.object({ lines: z.record(z.string(), z.boolean()).nullable() })

/** The settings that the port has now, and which it did not take. Throws `bad_message`. */
export function parseSettingsReply(reply: Record<string, unknown>): SettingsInForce {
  return checkReply(settingsReply, reply).settings
}

/** The modem lines as they are now; null when the port has none. Throws `bad_message`. */
export function parseLinesReply(reply: Record<string, unknown>): ModemLines | null {
  return checkReply(linesReply, reply).lines
}
