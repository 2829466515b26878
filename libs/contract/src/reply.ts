import { z } from "zod"
import { decodeCbor } from "./decode-cbor.ts"
import { AppError } from "./errors.ts"
import type { Parcel, Payload } from "./parcel.ts"
import { encodePayload, type PayloadFormat } from "./payload.ts"

/** Which call, and which part of it, a reply answers. */
export interface ReplyAddress {
  readonly id: string
  readonly part?: number | undefined
}

/** `{id, part?, ok: true, …}`. */
export function encodeReply({ id, part }: ReplyAddress, body: object, format: PayloadFormat): Uint8Array {
  return encodePayload({ id, ...(part === undefined ? {} : { part }), ok: true, ...body }, format)
}

/** A reply for the caller of this process as it is, and for others encoded. */
export class ReplyParcel implements Parcel {
  readonly #address: ReplyAddress
  readonly #body: Readonly<Record<string, unknown>>
  readonly #toWire: () => object

  /** Nothing in `body` may change afterwards. `toWire` makes of it what is encoded; default: itself. */
  constructor(
    address: ReplyAddress,
    body: Readonly<Record<string, unknown>>,
    toWire: () => object = () => body,
  ) {
    this.#address = address
    this.#body = body
    this.#toWire = toWire
  }

  /** As the caller would decode it. */
  get decoded(): DecodedReply {
    const { id, part } = this.#address
    const reply = { id, ok: true, ...this.#body }
    return part === undefined ? { id, reply } : { id, part, reply: { ...reply, part } }
  }

  encode(): Uint8Array {
    return encodeReply(this.#address, this.#toWire(), "cbor")
  }
}

/** A reply in the format of its request, encoded when that is needed. */
export function createReply(
  address: ReplyAddress,
  body: Readonly<Record<string, unknown>>,
  format: PayloadFormat,
): Payload {
  return format === "cbor" ? new ReplyParcel(address, body) : encodeReply(address, body, format)
}

/** `{id, part?, error: {code, message}}` */
export function encodeErrorReply(
  { id, part }: ReplyAddress,
  error: AppError,
  format: PayloadFormat,
): Uint8Array {
  return encodePayload({ id, ...(part === undefined ? {} : { part }), error: error.toWire() }, format)
}

export type DecodedReply = ReplyAddress &
  ({ readonly reply: Record<string, unknown> } | { readonly error: { code: string; message: string } })

const replySchema = z.looseObject({
  id: z.string(),
  part: z.number().optional(),
  error: z.object({ code: z.string(), message: z.string() }).optional(),
})

/** undefined when the payload is no reply: anyone may publish on a caller's reply topic. */
export function decodeReply(payload: Uint8Array): DecodedReply | undefined {
  let wire: unknown
  try {
    wire = decodeCbor(payload)
  } catch {
    return undefined
  }
  const parsed = replySchema.safeParse(wire).data
  if (parsed === undefined) return undefined
  const { id: replyId, part, error } = parsed
  const address = part === undefined ? { id: replyId } : { id: replyId, part }
  return error === undefined ? { ...address, reply: parsed } : { ...address, error }
}

/** Throws `bad_message` when a reply's body is not what the call promises. */
export function checkReply<T>(schema: z.ZodType<T>, reply: Record<string, unknown>): T {
  const parsed = schema.safeParse(reply)
  if (!parsed.success) throw new AppError("bad_message", `Unexpected reply: ${z.prettifyError(parsed.error)}`)
  return parsed.data
}
