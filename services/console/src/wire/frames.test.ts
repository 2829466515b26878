import { encodeHex } from "@serialcast/primitives"
import fc from "fast-check"
import { expect, test } from "vitest"
import {
  type BytesFrame,
  decodeBytesFrame,
  decodeServerMessage,
  encodeBytesFrame,
  encodeServerMessage,
  type ServerMessage,
} from "./frames.ts"

const ascii = (text: string) => new TextEncoder().encode(text)

const golden: [BytesFrame, string][] = [
  [{ offset: 0, bytes: ascii("") }, "0000000000000000"],
  [{ offset: 1, bytes: ascii("A\r\n") }, "0000000000000001410D0A"],
  [{ offset: 4_294_967_296, bytes: Uint8Array.of(0, 255) }, "000000010000000000FF"],
  [{ offset: Number.MAX_SAFE_INTEGER, bytes: ascii("z") }, "001FFFFFFFFFFFFF7A"],
]

test.each(golden)("a binary frame is the offset in 8 bytes, big-endian, then the bytes: %j", (frame, hex) => {
  expect(encodeHex(encodeBytesFrame(frame))).toBe(hex)
  expect(decodeBytesFrame(encodeBytesFrame(frame))).toEqual(frame)
})

test("what was encoded decodes to the same, wherever the frame lies in its buffer", () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.uint8Array(), fc.nat(16), (offset, bytes, at) => {
      const frame = encodeBytesFrame({ offset, bytes })
      const buffer = new Uint8Array(at + frame.byteLength)
      buffer.set(frame, at)
      expect(decodeBytesFrame(buffer.subarray(at))).toEqual({ offset, bytes })
    }),
  )
})

test.each([
  ["no bytes at all", new Uint8Array(0)],
  ["half an offset", new Uint8Array(7)],
  ["an offset beyond 2^53", Uint8Array.of(0, 0x20, 0, 0, 0, 0, 0, 0)],
])("%s is no frame", (_, frame) => expect(decodeBytesFrame(frame)).toBeUndefined())

const messages: ServerMessage[] = [
  { type: "open", epoch: "00112233445566ff", cursor: "00112233445566ff-7", state: null },
  { type: "open", epoch: null, cursor: null, state: null },
  { type: "epoch", epoch: "00112233445566ff", cursor: "00112233445566ff-0" },
  { type: "mark", cursor: "00112233445566ff-7.1", timeUs: 1, mark: { n: 0, kind: "opened", open: 2 } },
  {
    type: "gap",
    cursor: "00112233445566ff-9",
    gap: { from: "00112233445566ff-7", to: "00112233445566ff-9", bytes: 2, reason: "evicted" },
  },
  { type: "state", state: null },
  { type: "receipt", id: "1", bytes: 3, from: "00112233445566ff-0", to: "00112233445566ff-3", drainedUs: 5 },
  { type: "error", id: "2", code: "device_offline", message: "The device is offline." },
]

test.each(messages)("a $type message survives its text", (message) => {
  expect(decodeServerMessage(encodeServerMessage(message))).toEqual(message)
})

test("an open message without a place says so, and its epoch follows", () => {
  expect(messages.slice(1, 3).map(encodeServerMessage)).toEqual([
    '{"type":"open","epoch":null,"cursor":null,"state":null}',
    '{"type":"epoch","epoch":"00112233445566ff","cursor":"00112233445566ff-0"}',
  ])
})

test.each(["", "connected", "null", "[]", "7", '{"kind":"open"}', '{"type":"later"}', '{"type":'])(
  "%j is no message",
  (text) => expect(decodeServerMessage(text)).toBeUndefined(),
)
