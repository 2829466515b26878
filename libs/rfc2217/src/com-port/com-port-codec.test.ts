import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { TelnetDecoder } from "../telnet/telnet-decoder.ts"
import { hex } from "../testing/test-segments.ts"
import {
  encodeAnswer,
  encodeNotification,
  encodeRequest,
  isCiscoBaudRate,
  parseRequest,
  parseServerMessage,
} from "./com-port-codec.ts"
import type { ComPortAnswer, ComPortRequest } from "./com-port-message.ts"

/** Body of the one sub-negotiation that the bytes are. */
function bodyOf(bytes: Uint8Array): Uint8Array {
  const [event, ...others] = new TelnetDecoder().decode(bytes)
  if (event?.kind !== "subnegotiation" || others.length > 0) throw new Error("expected one sub-negotiation")
  expect(event.option).toBe(44)
  return event.body
}

/** RFC 2217, section 3: each command with the client's bytes. */
const requests: readonly [ComPortRequest, string][] = [
  [{ kind: "signature", text: "" }, "00"],
  [{ kind: "signature", text: "abc" }, "00 61 62 63"],
  [{ kind: "baudRate", value: null }, "01 00000000"],
  [{ kind: "baudRate", value: 115_200 }, "01 0001c200"],
  [{ kind: "baudRate", value: 3_000_000 }, "01 002dc6c0"],
  [{ kind: "baudRate", value: 2 ** 32 - 1 }, "01 ffffffff"],
  [{ kind: "dataBits", value: null }, "02 00"],
  [{ kind: "dataBits", value: 5 }, "02 05"],
  [{ kind: "dataBits", value: 6 }, "02 06"],
  [{ kind: "dataBits", value: 7 }, "02 07"],
  [{ kind: "dataBits", value: 8 }, "02 08"],
  [{ kind: "parity", value: null }, "03 00"],
  [{ kind: "parity", value: "none" }, "03 01"],
  [{ kind: "parity", value: "odd" }, "03 02"],
  [{ kind: "parity", value: "even" }, "03 03"],
  [{ kind: "parity", value: "mark" }, "03 04"],
  [{ kind: "parity", value: "space" }, "03 05"],
  [{ kind: "stopBits", value: null }, "04 00"],
  [{ kind: "stopBits", value: 1 }, "04 01"],
  [{ kind: "stopBits", value: 2 }, "04 02"],
  [{ kind: "stopBits", value: 1.5 }, "04 03"],
  [{ kind: "flowControl", value: null }, "05 00"],
  [{ kind: "flowControl", value: "none" }, "05 01"],
  [{ kind: "flowControl", value: "software" }, "05 02"],
  [{ kind: "flowControl", value: "hardware" }, "05 03"],
  [{ kind: "break", value: null }, "05 04"],
  [{ kind: "break", value: true }, "05 05"],
  [{ kind: "break", value: false }, "05 06"],
  [{ kind: "dtr", value: null }, "05 07"],
  [{ kind: "dtr", value: true }, "05 08"],
  [{ kind: "dtr", value: false }, "05 09"],
  [{ kind: "rts", value: null }, "05 0a"],
  [{ kind: "rts", value: true }, "05 0b"],
  [{ kind: "rts", value: false }, "05 0c"],
  [{ kind: "inboundFlowControl", value: null }, "05 0d"],
  [{ kind: "inboundFlowControl", value: "none" }, "05 0e"],
  [{ kind: "inboundFlowControl", value: "software" }, "05 0f"],
  [{ kind: "inboundFlowControl", value: "hardware" }, "05 10"],
  [{ kind: "flowControl", value: "dcd" }, "05 11"],
  [{ kind: "inboundFlowControl", value: "dtr" }, "05 12"],
  [{ kind: "flowControl", value: "dsr" }, "05 13"],
  [{ kind: "lineState" }, "06"],
  [{ kind: "modemState" }, "07"],
  [{ kind: "suspend" }, "08"],
  [{ kind: "resume" }, "09"],
  [{ kind: "lineStateMask", value: 30 }, "0a 1e"],
  [{ kind: "modemStateMask", value: 255 }, "0b ff"],
  [{ kind: "purge", value: "rx" }, "0c 01"],
  [{ kind: "purge", value: "tx" }, "0c 02"],
  [{ kind: "purge", value: "both" }, "0c 03"],
]

const isAnswer = (message: ComPortRequest): message is ComPortRequest & ComPortAnswer =>
  !["lineState", "modemState", "suspend", "resume"].includes(message.kind)

describe("what RFC 2217 numbers", () => {
  test.each(requests)("%j is %j of the client", (request, body) => {
    expect(bodyOf(encodeRequest(request))).toEqual(hex(body))
    expect(parseRequest(hex(body))).toEqual(request)
  })

  test.each(requests)("an answer of %j is 100 more", (message, body) => {
    const answerBody = hex(body)
    answerBody[0]! += 100
    if (!isAnswer(message)) return
    expect(bodyOf(encodeAnswer(message))).toEqual(answerBody)
    expect(parseServerMessage(answerBody)).toEqual(message)
  })

  test("ff in a value is doubled on the wire", () => {
    expect(encodeRequest({ kind: "baudRate", value: 65_280 })).toEqual(hex("fffa2c01 0000ffff00 fff0"))
    expect(encodeRequest({ kind: "modemStateMask", value: 255 })).toEqual(hex("fffa2c0b ffff fff0"))
  })
})

describe("a number outside RFC 2217", () => {
  test.each([
    ["02 04", { kind: "dataBits", value: null, unknownValue: 4 }],
    ["02 09", { kind: "dataBits", value: null, unknownValue: 9 }],
    ["03 06", { kind: "parity", value: null, unknownValue: 6 }],
    ["04 04", { kind: "stopBits", value: null, unknownValue: 4 }],
    ["01 02", { kind: "baudRate", value: null, unknownValue: 2 }],
  ])("of %j asks for the value in force", (body, request) => expect(parseRequest(hex(body))).toEqual(request))

  test.each(["05 14", "05 ff", "0c 00", "0c 04", "0d 00", "63", "64 61", "65 0001c200", ""])(
    "%j is no request",
    (body) => expect(parseRequest(hex(body))).toBeNull(),
  )

  test.each(["69 14", "70 00", "71 00", "05 01", "01 0001c200", ""])("%j is no word of a server", (body) =>
    expect(parseServerMessage(hex(body))).toBeNull(),
  )
})

describe("sizes", () => {
  test.each([
    "01",
    "01 0001",
    "01 0001c2",
    "01 0001c20000",
    "02",
    "02 0800",
    "03",
    "04",
    "05",
    "0a",
    "0b",
    "0c",
    "0c 0100",
  ])("a request %j has a wrong one", (body) => expect(parseRequest(hex(body))).toBeNull())

  test.each(["65", "65 0001c2", "66", "67", "68", "69", "6a", "6b", "6e", "6f", "70"])(
    "%j of a server has too little",
    (body) => expect(parseServerMessage(hex(body))).toBeNull(),
  )

  test("servers may send more than there should be", () => {
    expect(parseServerMessage(hex("65 0001c200 00000000"))).toEqual({ kind: "baudRate", value: 115_200 })
    expect(parseServerMessage(hex("66 08 00"))).toEqual({ kind: "dataBits", value: 8 })
  })

  test("what should have no value may have one", () => {
    expect(parseRequest(hex("07 00"))).toEqual({ kind: "modemState" })
    expect(parseRequest(hex("08 00"))).toEqual({ kind: "suspend" })
  })
})

test.each([
  [3, 300],
  [8, 9600],
  [9, 14_400],
  [10, 19_200],
  [12, 38_400],
  [13, 57_600],
  [14, 115_200],
  [15, 230_400],
])("in Cisco's way %i is %i bit/s", (number, value) => {
  const body = Uint8Array.of(1, number)
  expect(isCiscoBaudRate(body)).toBe(true)
  expect(parseRequest(body)).toEqual({ kind: "baudRate", value })
  expect(bodyOf(encodeAnswer({ kind: "baudRate", value }, "cisco"))).toEqual(Uint8Array.of(101, number))
})

test("in Cisco's way 0 asks for the rate, and stands for one without a number", () => {
  expect(parseRequest(hex("01 00"))).toEqual({ kind: "baudRate", value: null })
  expect(bodyOf(encodeAnswer({ kind: "baudRate", value: 921_600 }, "cisco"))).toEqual(hex("65 00"))
  expect(isCiscoBaudRate(hex("01 00000000"))).toBe(false)
})

test("notifications have a bit for each line and each change", () => {
  expect(encodeNotification("modemState", 0xbb)).toEqual(hex("fffa2c6b bb fff0"))
  expect(parseServerMessage(hex("6b 91"))).toEqual({
    kind: "modemState",
    lines: { cts: true, dsr: false, ri: false, dcd: true },
    changes: { cts: true, dsr: false, ri: false, dcd: false },
  })
  expect(parseServerMessage(hex("6b 6e"))).toEqual({
    kind: "modemState",
    lines: { cts: false, dsr: true, ri: true, dcd: false },
    changes: { cts: false, dsr: true, ri: true, dcd: true },
  })
  const { kind, state } = lineStateOf("6a 1e")
  expect(kind).toBe("lineState")
  expect(Object.entries(state).filter(([, isSet]) => isSet)).toEqual(
    ["overrun", "parity", "framing", "break"].map((flag) => [flag, true]),
  )
})

function lineStateOf(body: string) {
  const message = parseServerMessage(hex(body))
  if (message?.kind !== "lineState") throw new Error("expected a line state")
  return message
}

test("a server may suspend and resume", () => {
  expect(parseServerMessage(hex("6c"))).toEqual({ kind: "suspend" })
  expect(parseServerMessage(hex("6d"))).toEqual({ kind: "resume" })
})

test("any baud rate, mask and signature goes there and back", () => {
  const any = fc.oneof(
    fc.record({ kind: fc.constant("baudRate" as const), value: fc.integer({ min: 1, max: 2 ** 32 - 1 }) }),
    fc.record({
      kind: fc.constantFrom("lineStateMask" as const, "modemStateMask" as const),
      value: fc.nat(255),
    }),
    fc.record({
      kind: fc.constant("signature" as const),
      text: fc.string({ unit: "grapheme", minLength: 1 }),
    }),
  )
  fc.assert(
    fc.property(any, (message) => {
      expect(parseRequest(bodyOf(encodeRequest(message)))).toEqual(message)
      expect(parseServerMessage(bodyOf(encodeAnswer(message)))).toEqual(message)
    }),
  )
})
