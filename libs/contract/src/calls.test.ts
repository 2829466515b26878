import { expect, test } from "vitest"
import { cancelRequestSchema, parseCancelled } from "./cancel-call.ts"
import {
  configureRequestSchema,
  parseLinesReply,
  parseSettingsReply,
  signalRequestSchema,
} from "./control-calls.ts"
import { leaseRequestSchema, parseLease } from "./lease-call.ts"
import { checkCall } from "./payload.ts"
import { parseProgress, writeRequestSchema } from "./write-call.ts"

const bytes = Uint8Array.of(1)
const settings = { baudRate: 9600, dataBits: 8, parity: "none", stopBits: 1, flowControl: "none" }

test("what a call leaves out has its default", () => {
  expect(checkCall(leaseRequestSchema, { id: "l" })).toEqual({
    id: "l",
    by: "anonymous",
    ttlMs: 30_000,
    steal: false,
  })
  expect(checkCall(configureRequestSchema, { id: "c", settings: { baudRate: 9600 } })).toEqual({
    id: "c",
    by: "anonymous",
    settings: { baudRate: 9600 },
    now: false,
  })
})

test.each([
  ["a write with a session but no place in it", writeRequestSchema, { bytes, session: "s" }],
  ["a write with a place in no session", writeRequestSchema, { bytes, seq: 0 }],
  ["a session's write in parts", writeRequestSchema, { bytes, session: "s", seq: 0, part: 0, parts: 2 }],
  ["a write that waits two minutes between bytes", writeRequestSchema, { bytes, charDelayMs: 120_000 }],
  ["a write under an empty lease", writeRequestSchema, { bytes, lease: "" }],
  ["a cancel of nothing", cancelRequestSchema, {}],
  ["a lease of no time", leaseRequestSchema, { ttlMs: 0 }],
  ["a lease of a day", leaseRequestSchema, { ttlMs: 86_400_000 }],
  ["a setting that is none", configureRequestSchema, { settings: { color: "red" } }],
  ["a baud rate of 0", configureRequestSchema, { settings: { baudRate: 0 } }],
  ["a signal of nothing", signalRequestSchema, {}],
  ["a signal of lines and a macro", signalRequestSchema, { dtr: true, macro: "D0" }],
  ["a line that is a number", signalRequestSchema, { dtr: 1 }],
])("%s is refused", (_, schema, call) => {
  expect(() => checkCall<unknown>(schema, { id: "c", ...call })).toThrow(
    expect.objectContaining({ code: "bad_request" }),
  )
})

test("replies are understood, and what is none is refused", () => {
  expect(parseCancelled({ cancelled: true })).toBe(true)
  expect(parseSettingsReply({ settings })).toEqual(settings)
  const inPart = { ...settings, unsupported: ["parity", "of a later version"] }
  expect(parseSettingsReply({ settings: inPart })).toEqual(inPart)
  expect(parseLinesReply({ lines: { cts: true } })).toEqual({ cts: true })
  expect(parseLinesReply({ lines: null })).toBeNull()
  const lease = { token: "t", holder: "me", ttlMs: 1_000 }
  expect(parseLease({ lease })).toEqual(lease)
  for (const parse of [parseCancelled, parseSettingsReply, parseLinesReply, parseLease])
    expect(() => parse({})).toThrow(expect.objectContaining({ code: "bad_message" }))
})

test("a reply about progress is told from a receipt", () => {
  expect(parseProgress({ progress: { bytes: 10, of: 100 } })).toEqual({ bytes: 10, of: 100 })
  expect(parseProgress({ receipt: { bytes: 100 } })).toBeUndefined()
})
