import { concatBytes } from "@serialcast/primitives"
import { expect, test } from "vitest"
import { clientFrame } from "../testing/client-frame.ts"
import { closeCodes, type FrameEvent } from "./frame.ts"
import { FrameReader } from "./frame-reader.ts"
import { encodeCloseFrame, encodeFrame, encodeTextFrame, maxFrameBytes } from "./frame-writer.ts"

const bytes = (text: string) => Uint8Array.from(Buffer.from(text, "latin1"))
const mask = [0x37, 0xfa, 0x21, 0x3d]

/** Joins pieces of one kind: where frames were cut means nothing. */
function joined(events: readonly FrameEvent[]): string[] {
  const told: string[] = []
  for (const event of events) {
    const text = "bytes" in event ? Buffer.from(event.bytes).toString("latin1") : null
    if (text !== null && told.at(-1)?.startsWith(`${event.kind} `)) told[told.length - 1] += text
    else if (text !== null) told.push(`${event.kind} ${text}`)
    else if (event.kind === "ping") told.push(`ping ${Buffer.from(event.payload).toString("latin1")}`)
    else if ("code" in event) told.push(`${event.kind} ${event.code}`)
  }
  return told
}

test("the traces of RFC 6455 §5.7, masked and not", () => {
  const read = (...trace: number[]) => joined(new FrameReader().push(Uint8Array.from(trace)))
  expect(read(0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f)).toEqual(["text Hello"])
  expect(read(0x81, 0x85, ...mask, 0x7f, 0x9f, 0x4d, 0x51, 0x58)).toEqual(["text Hello"])
  expect(read(0x01, 0x03, 0x48, 0x65, 0x6c, 0x80, 0x02, 0x6c, 0x6f)).toEqual(["text Hello"])
  expect(read(0x89, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f)).toEqual(["ping Hello"])
  expect(read(0x8a, 0x85, ...mask, 0x7f, 0x9f, 0x4d, 0x51, 0x58)).toEqual([])
  expect(read(0x82, 0x7e, 0x01, 0x00, ...Array<number>(256).fill(0x61))).toEqual([
    `binary ${"a".repeat(256)}`,
  ])
})

test("frames that are cut anywhere say the same", () => {
  const session = concatBytes([
    clientFrame("binary", bytes("secret\r")),
    clientFrame("text", bytes("é"), { mask }),
    clientFrame("binary", bytes("ab"), { isLast: false, mask }),
    clientFrame("ping", bytes("in between"), { mask }),
    clientFrame("continuation", bytes("cd"), { isLast: false }),
    clientFrame("continuation", bytes(""), { mask }),
    clientFrame("pong", bytes("unasked")),
    clientFrame("text", bytes("x".repeat(300)), { mask }),
    clientFrame("close", Uint8Array.of(0x03, 0xe8)),
  ])
  const expected = [
    "binary secret\r",
    "text é",
    "binary ab",
    "ping in between",
    "binary cd",
    `text ${"x".repeat(300)}`,
    "close 1000",
  ]
  for (let cut = 0; cut <= session.byteLength; cut++) {
    const reader = new FrameReader()
    const events = [...reader.push(session.subarray(0, cut)), ...reader.push(session.subarray(cut))]
    expect(joined(events)).toEqual(expected)
  }
  const single = new FrameReader()
  expect(joined(Array.from(session, (byte) => single.push(Uint8Array.of(byte))).flat())).toEqual(expected)
})

test.each([125, 126, 127, 128, 255, 256, 65_535])("a frame of %d bytes is read, masked and not", (size) => {
  const payload = Uint8Array.from({ length: size }, (_, index) => index & 0xff)
  for (const options of [{}, { mask }]) {
    const events = new FrameReader().push(clientFrame("binary", payload, options))
    expect(concatBytes(events.map((event) => (event.kind === "binary" ? event.bytes : bytes("?"))))).toEqual(
      payload,
    )
  }
})

test.each([
  ["a length of 64 bits", [0x82, 0xff], closeCodes.tooLarge],
  ["a reserved bit", [0xc1], closeCodes.protocolError],
  ["an unknown opcode", [0x83], closeCodes.protocolError],
  ["an unknown control opcode", [0x8b], closeCodes.protocolError],
  ["a ping in fragments", [0x09], closeCodes.protocolError],
  ["a ping of 126 bytes", [0x89, 0x7e], closeCodes.protocolError],
  ["a continuation of nothing", [0x80], closeCodes.protocolError],
  ["a message inside another one", [0x01, 0x00, 0x81], closeCodes.protocolError],
])("%s ends the reading, with its code", (_what, trace, code) => {
  const reader = new FrameReader()
  expect(reader.push(Uint8Array.from(trace))).toMatchObject([{ kind: "violation", code }])
  expect(reader.push(clientFrame("text", bytes("more")))).toEqual([])
})

test("a close frame without a code has none, and nothing behind it is read", () => {
  const reader = new FrameReader()
  const trace = concatBytes([clientFrame("close", bytes("")), clientFrame("text", bytes("x"))])
  expect(reader.push(trace)).toEqual([{ kind: "close", code: null }])
})

test("payloads of control frames do not get into the data", () => {
  const trace = [
    clientFrame("ping", bytes("12345")),
    clientFrame("binary", bytes("WA")),
    clientFrame("pong", bytes("678")),
  ]
  expect(joined(new FrameReader().push(concatBytes(trace)))).toEqual(["ping 12345", "binary WA"])
})

test("masking shows", () => {
  const reader = new FrameReader()
  reader.push(clientFrame("text", bytes("a")))
  expect(reader.isMasked).toBe(false)
  reader.push(clientFrame("text", bytes("a"), { mask }))
  expect(reader.isMasked).toBe(true)
})

test("what is written is whole, not masked, and below 64 KiB", () => {
  expect(encodeTextFrame("Password: ")).toEqual(concatBytes([Uint8Array.of(0x81, 10), bytes("Password: ")]))
  expect(encodeFrame("binary", new Uint8Array(126)).subarray(0, 4)).toEqual(Uint8Array.of(0x82, 126, 0, 126))
  expect(encodeFrame("binary", new Uint8Array(maxFrameBytes)).subarray(0, 4)).toEqual(
    Uint8Array.of(0x82, 126, 255, 255),
  )
  expect(encodeFrame("close", new Uint8Array(0))).toEqual(Uint8Array.of(0x88, 0))
  expect(() => encodeFrame("binary", new Uint8Array(maxFrameBytes + 1))).toThrow(RangeError)
  expect(() => encodeFrame("pong", new Uint8Array(126))).toThrow(RangeError)
})

test("a long reason is cut at a character to what a close frame holds", () => {
  const frame = encodeCloseFrame(closeCodes.policy, "é".repeat(100))
  expect(frame.subarray(0, 4)).toEqual(Uint8Array.of(0x88, 124, 0x03, 0xf0))
  expect(new TextDecoder("utf-8", { fatal: true }).decode(frame.subarray(4))).toBe("é".repeat(61))
})
