import { AppError, type Cursor, formatCursor } from "@serialcast/contract"
import type { StreamEvent } from "@serialcast/device-stream"
import { concatBytes, encodeHex, incompleteTail } from "@serialcast/primitives"
import type { ServerEvent } from "./event-stream.ts"

type BytesEvent = Extract<StreamEvent, { kind: "bytes" }>
type BetweenBytes = Extract<StreamEvent, { kind: "mark" | "gap" }>

/** Turns chunks into events; may hold back bytes, which later events or `flush` bring. */
export interface ByteEncoding {
  /** Bytes are held back: a client that resumes after them would miss them. */
  readonly isHolding: boolean
  encode(event: BytesEvent): readonly ServerEvent[]
  /** What of the bytes held back does not go on over this. */
  flush(reason: BetweenBytes): readonly ServerEvent[]
}

export const encodingNames = ["hex", "base64", "text", "lines"] as const
export type EncodingName = (typeof encodingNames)[number]

/** Throws `bad_request` for an unknown name. */
export function parseEncoding(name: string): EncodingName {
  const known = encodingNames.find((candidate) => candidate === name)
  if (known !== undefined) return known
  throw new AppError(
    "bad_request",
    `encoding: expected one of ${encodingNames.join(", ")}; found ${JSON.stringify(name)}.`,
  )
}

export interface Encodings {
  /** The encoding of one client. */
  create(name: Exclude<EncodingName, "lines">): ByteEncoding
}

/** The encodings of one service: its clients share what depends on none of them. */
export function createEncodings(): Encodings {
  const hex = createSharedEncoding(encodeHex)
  const base64 = createSharedEncoding((bytes) =>
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64"),
  )
  return {
    create(name) {
      switch (name) {
        case "hex":
          return hex
        case "base64":
          return base64
        case "text":
          return createTextEncoding()
      }
    },
  }
}

/** Holds nothing back. Clients of one device mostly get the very same events: each is encoded once. */
function createSharedEncoding(encode: (bytes: Uint8Array) => string): ByteEncoding {
  const encoded = new WeakMap<BytesEvent, readonly ServerEvent[]>()
  return {
    isHolding: false,
    encode(event) {
      const events = encoded.get(event) ?? [
        { event: "bytes", data: encode(event.bytes), id: formatCursor(event.cursor) },
      ]
      encoded.set(event, events)
      return events
    },
    flush: () => [],
  }
}

/**
 * JSON strings of UTF-8. A character that is split between chunks is held back until it is whole, and the id stands
 * before it, so that a client that resumes there gets it whole too. What is no UTF-8 becomes U+FFFD.
 */
function createTextEncoding(): ByteEncoding {
  let held: Uint8Array = new Uint8Array(0)
  let heldEnd: Cursor | null = null
  const decode = (bytes: Uint8Array) =>
    JSON.stringify(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes))
  return {
    get isHolding() {
      return held.byteLength > 0
    },
    encode({ bytes, cursor }) {
      const whole = concatBytes([held, bytes])
      const complete = whole.byteLength - incompleteTail(whole)
      held = whole.subarray(complete)
      heldEnd = cursor
      if (complete === 0) return []
      const id = formatCursor({ ...cursor, offset: cursor.offset - held.byteLength })
      return [{ event: "bytes", data: decode(whole.subarray(0, complete)), id }]
    },
    flush() {
      if (held.byteLength === 0 || heldEnd === null) return []
      const event = { event: "bytes", data: decode(held), id: formatCursor(heldEnd) }
      held = new Uint8Array(0)
      return [event]
    },
  }
}
