import { z } from "zod"
import { maxMarksAtOffset } from "./cursor.ts"
import { AppError, type ErrorCode } from "./errors.ts"

/** Things that happen at an offset. `n` counts the marks at that offset from 0. */
export type Mark =
  /** The port was opened for the `open`th time. Bytes sent while nobody read the port have no offset. */
  | { readonly n: number; readonly kind: "opened"; readonly open: number }
  /** The port was closed or the device went away. */
  | { readonly n: number; readonly kind: "closed"; readonly reason: string }
  /** In the `tx` stream: a write that was not, or not wholly, sent. `bytes` of it were. */
  | {
      readonly n: number
      readonly kind: "refused"
      readonly id: string
      readonly by: string
      readonly code: ErrorCode
      readonly bytes: number
    }

const n = z
  .number()
  .int()
  .nonnegative()
  .max(maxMarksAtOffset - 1)
const markSchema = z.discriminatedUnion("kind", [
  z.object({ n, kind: z.literal("opened"), open: z.number().int().positive() }),
  z.object({ n, kind: z.literal("closed"), reason: z.string() }),
  z.object({
    n,
    kind: z.literal("refused"),
    id: z.string(),
    by: z.string(),
    code: z.string(),
    bytes: z.number().int().nonnegative(),
  }),
])

/** Throws `bad_message` when `wire` is no known mark. */
export function parseMark(wire: unknown): Mark {
  const parsed = markSchema.safeParse(wire)
  if (!parsed.success) throw new AppError("bad_message", `Not a mark: ${z.prettifyError(parsed.error)}`)
  // The catalogue may have grown on the other side, so codes are checked by nobody.
  return parsed.data as Mark
}
