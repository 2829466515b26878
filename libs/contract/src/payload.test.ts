import fc from "fast-check"
import { expect, test } from "vitest"
import { AppError } from "./errors.ts"
import { historyRequestSchema, parseHistoryPage } from "./history-call.ts"
import { checkCall, decodeCall, encodeCall } from "./payload.ts"
import { decodeReply, encodeReply } from "./reply.ts"
import { parseReceipt, writeRequestSchema } from "./write-call.ts"

const json = (call: unknown) => new TextEncoder().encode(JSON.stringify(call))
const write = { id: "w", by: "me", bytes: Uint8Array.of(1, 2) }

test.each([
  ["two spellings of the bytes", { hex: "00", text: "a" }, "bad_request"],
  ["half a byte", { hex: "0" }, "bad_hex"],
  ["hex with a sign", { hex: "+1" }, "bad_hex"],
  ["bytes as a number", { hex: 0 }, "bad_request"],
  ["base64 without its padding", { base64: "AA" }, "bad_request"],
  ["base64 of the other alphabet", { base64: "_-8=" }, "bad_request"],
  ["base64 with a line end", { base64: "AAAA\n" }, "bad_request"],
  ["base64 of padding only", { base64: "====" }, "bad_request"],
  ["an unknown line end", { text: "x", eol: "constructor" }, "bad_request"],
])("a JSON call with %s is refused", (_, call, code) => {
  expect(() => decodeCall(json({ id: "w", ...call }))).toThrow(expect.objectContaining({ code }))
})

test("a JSON call that is no JSON, or no UTF-8, is refused as bad_message", () => {
  for (const payload of [json({ id: "w" }).subarray(0, 5), Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d)]) {
    expect(() => decodeCall(payload)).toThrow(expect.objectContaining({ code: "bad_message" }))
  }
})

test("a JSON call has its line end in its bytes", () => {
  const { call } = decodeCall(json({ id: "w", text: "A", eol: "crlf" }))
  expect(call).toEqual({ id: "w", bytes: Uint8Array.of(0x41, 0x0d, 0x0a) })
})

test("megabytes of base64 are decoded", () => {
  const { call } = decodeCall(json({ base64: "AAAA".repeat(1_400_000) }))
  expect(call).toMatchObject({ bytes: { byteLength: 4_200_000 } })
})

test("bytes of a CBOR call are a plain Uint8Array, which JSON replies can spell", () => {
  const { call } = decodeCall(encodeCall(write))
  const { bytes } = checkCall(writeRequestSchema, call)
  expect(Object.getPrototypeOf(bytes)).toBe(Uint8Array.prototype)
  const reply = encodeReply({ id: "w" }, { b: bytes }, "json")
  expect(new TextDecoder().decode(reply)).toBe('{"id":"w","ok":true,"b":"0102"}')
})

test("fields that are undefined are not sent", () => {
  expect(decodeCall(encodeCall({ id: "w", ttlMs: undefined })).call).toEqual({ id: "w" })
})

test.each([
  ["an unknown field", { ...write, speed: 1 }, "speed"],
  ["no id", { ...write, id: "" }, "id"],
  ["an id of 65 characters", { ...write, id: "x".repeat(65) }, "id"],
  ["an id of 66 bytes in 22 characters", { ...write, id: "\u4e00".repeat(22) }, "64 bytes"],
  ["a caller of 129 bytes", { ...write, by: `\u4e00${"x".repeat(126)}` }, "128 bytes"],
  ["no bytes", { id: "w" }, "bytes"],
  ["bytes beyond a call", { ...write, bytes: new Uint8Array(60_001) }, "60000"],
  ["a part without parts", { ...write, part: 0 }, "part"],
  ["parts without a part", { ...write, parts: 2 }, "part"],
  ["a part beyond the parts", { ...write, part: 2, parts: 2 }, "part"],
  ["a time to live of nothing", { ...write, ttlMs: 0 }, "ttlMs"],
])("a write with %s is refused as bad_request, saying so", (_, call, said) => {
  expect(() => checkCall(writeRequestSchema, call)).toThrow(
    expect.objectContaining({ code: "bad_request", message: expect.stringContaining(said) }),
  )
})

test("a page is asked of rx and in full unless the call says otherwise", () => {
  const request = checkCall(historyRequestSchema, { id: "h", from: "start" })
  expect(request).toEqual({ id: "h", by: "anonymous", from: "start", stream: "rx", maxBytes: 60_000 })
})

test("what is no reply is nobody's reply", () => {
  for (const payload of [
    new Uint8Array(0),
    Uint8Array.of(0xff),
    json({ id: "w", ok: true }),
    encodeCall({ ok: true }),
  ]) {
    expect(decodeReply(payload)).toBeUndefined()
  }
})

const page = {
  gap: null,
  first: "0123456789abcdef-0",
  records: [],
  next: "0123456789abcdef-0",
  head: "0123456789abcdef-9",
}

test.each([
  ["no page", {}],
  ["no cursor", { page: { ...page, first: "here" } }],
  [
    "a gap of negative size",
    { page: { ...page, gap: { from: page.first, to: page.head, bytes: -1, reason: "evicted" } } },
  ],
  ["a record that is none", { page: { ...page, records: [{ o: 1 }] } }],
])("a history reply with %s is refused as bad_message", (_, body) => {
  expect(() => parseHistoryPage(body)).toThrow(expect.objectContaining({ code: "bad_message" }))
})

test("a reply without a receipt is refused as bad_message", () => {
  expect(() => parseReceipt({ ok: true })).toThrow(expect.objectContaining({ code: "bad_message" }))
})

test("damaged calls and replies throw nothing but AppErrors", () => {
  const calls = [encodeCall(write), json({ id: "w", hex: "0102" }), json({ id: "w", base64: "AQI=" })]
  const record = { o: 1, t: 2, b: Uint8Array.of(1, 2, 3) }
  const replies = [encodeReply({ id: "h", part: 1 }, { page: { ...page, records: [record] } }, "cbor")]
  const use = (payload: Uint8Array) => {
    checkCall(writeRequestSchema, decodeCall(payload).call)
    const reply = decodeReply(payload)
    if (reply !== undefined && "reply" in reply) parseHistoryPage(reply.reply)
  }
  fc.assert(
    fc.property(
      fc.constantFrom(...calls, ...replies),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      (payload, at, mask) => {
        const place = at % payload.length
        for (const bytes of [
          Uint8Array.from(payload).with(place, payload[place]! ^ mask),
          payload.subarray(0, place),
        ]) {
          try {
            use(bytes)
          } catch (error) {
            expect(error).toBeInstanceOf(AppError)
          }
        }
      },
    ),
    { numRuns: 1_000 },
  )
})
