import { readFileSync } from "node:fs"
import { describe, expect, test } from "vitest"
import {
  AppError,
  type Destination,
  type DeviceState,
  decodeCall,
  decodeStreamMessage,
  deviceStateSchema,
  type ErrorCode,
  encodeCall,
  encodeErrorReply,
  encodeReply,
  encodeStreamMessage,
  formatStartPoint,
  type ParsedTopic,
  pageToWire,
  parseHistoryPage,
  parseReceipt,
  parseStartPoint,
  type Receipt,
  type StartPoint,
} from "./index.ts"
import { decodeReply } from "./reply.ts"
import { createTopics } from "./topics.ts"

interface Case {
  readonly title: string
  readonly hex: string
}
type StreamCase = Case & { readonly message: unknown }
type CallCase = Case & { readonly format: "cbor" | "json"; readonly call: object }
type ReplyCase = Case & { readonly json: string; readonly reply: WireReply }
interface WireReply {
  readonly id: string
  readonly part?: number
  readonly error?: { readonly code: ErrorCode; readonly message: string }
  readonly receipt?: Receipt
  readonly page?: unknown
  readonly state?: DeviceState
}

function read<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), "utf8"))
}

const toHex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex")
const fromHex = (hex: string) => Uint8Array.from(Buffer.from(hex, "hex"))

/** `value` with every byte string as hex, as the vectors have it. */
function hexed(value: unknown): unknown {
  if (value instanceof Uint8Array) return toHex(value)
  if (Array.isArray(value)) return value.map(hexed)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, hexed(inner)]))
}

/** The other way round: what stands under `bytes` as text are bytes. */
function unhexed(value: unknown): never {
  if (Array.isArray(value)) return value.map(unhexed) as never
  if (typeof value !== "object" || value === null) return value as never
  const entries = Object.entries(value).map(([key, inner]) => [
    key,
    key === "bytes" && typeof inner === "string" ? fromHex(inner) : unhexed(inner),
  ])
  return Object.fromEntries(entries) as never
}

describe.each(read<StreamCase[]>("stream-messages"))("stream message: $title", ({ hex, message }) => {
  test("is encoded to the vector", () => expect(toHex(encodeStreamMessage(unhexed(message)))).toBe(hex))
  test("is decoded from it", () => expect(hexed(decodeStreamMessage(fromHex(hex)))).toEqual(message))
})

describe("calls", () => {
  const calls = read<CallCase[]>("calls")
  test.each(calls.filter(({ format }) => format === "cbor"))(
    "$title is encoded to the vector",
    ({ hex, call }) => {
      expect(toHex(encodeCall(unhexed(call)))).toBe(hex)
    },
  )
  test.each(calls)("$title is decoded from it", ({ format, hex, call }) => {
    const decoded = decodeCall(fromHex(hex))
    expect(decoded.format).toBe(format)
    expect(hexed(decoded.call)).toEqual(call)
  })
})

describe.each(read<ReplyCase[]>("replies"))("reply: $title", ({ hex, json, reply }) => {
  const encode = (format: "cbor" | "json") => {
    const { receipt, page, state, error } = reply
    if (error !== undefined) return encodeErrorReply(reply, new AppError(error.code, error.message), format)
    if (receipt !== undefined) return encodeReply(reply, { receipt }, format)
    if (state !== undefined) return encodeReply(reply, { gateway: state.gateway, state }, format)
    return encodeReply(reply, page === undefined ? {} : { page: pageToWire(unhexed(page)) }, format)
  }
  test("is encoded to the vectors", () => {
    expect(toHex(encode("cbor"))).toBe(hex)
    expect(new TextDecoder().decode(encode("json"))).toBe(json)
  })
  test("is decoded from CBOR", () => {
    const { id, part, receipt, page, state, error } = reply
    const decoded = decodeReply(fromHex(hex))
    expect(decoded).toMatchObject({ id, ...(part === undefined ? {} : { part }) })
    const body = decoded !== undefined && "reply" in decoded ? decoded.reply : {}
    if (error !== undefined) expect(decoded).toMatchObject({ error })
    if (receipt !== undefined) expect(parseReceipt(body)).toEqual(receipt)
    if (state !== undefined) expect(deviceStateSchema.parse(body["state"])).toEqual(state)
    if (page !== undefined) expect(hexed(parseHistoryPage(body))).toEqual(page)
  })
})

describe("start points", () => {
  const { valid, invalid } = read<{ valid: { text: string; start: StartPoint }[]; invalid: string[] }>(
    "start-points",
  )
  test.each(valid)("$text is understood, and so is what it is formatted to", ({ text, start }) => {
    expect(parseStartPoint(text)).toEqual(start)
    expect(parseStartPoint(formatStartPoint(start))).toEqual(start)
  })
  test.each(invalid)("%j is refused", (text) => {
    expect(() => parseStartPoint(text)).toThrow(expect.objectContaining({ code: "bad_cursor" }))
  })
})

describe("topics", () => {
  const topics = createTopics()
  const { valid, invalid } = read<{ valid: (Destination & { parsed: ParsedTopic })[]; invalid: string[] }>(
    "topics",
  )
  test.each(valid)("$topic is built and understood", ({ parsed, ...destination }) => {
    expect(topics.parse(destination.topic)).toEqual(parsed)
    expect(topics.filter(parsed.kind, parsed as object as Record<string, string>)).toEqual(destination)
  })
  test.each(invalid)("%j is none", (topic) => expect(topics.parse(topic)).toBeUndefined())
})
