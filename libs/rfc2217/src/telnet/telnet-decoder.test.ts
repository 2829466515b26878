import { seededRandom } from "@serialcast/testkit"
import { describe, expect, test } from "vitest"
import { hex, joinEvents, segmentations } from "../testing/test-segments.ts"
import { maxSubnegotiation, TelnetDecoder, type TelnetEvent } from "./telnet-decoder.ts"

const data = (text: string): TelnetEvent => ({ kind: "data", bytes: hex(text) })
const command = (code: number): TelnetEvent => ({ kind: "command", command: code })
const subnegotiation = (option: number, text: string): TelnetEvent => ({
  kind: "subnegotiation",
  option,
  body: hex(text),
})

function decodeAll(segments: readonly Uint8Array[]): TelnetEvent[] {
  const decoder = new TelnetDecoder()
  return joinEvents(segments.flatMap((segment) => decoder.decode(segment)))
}

describe("wherever the segments are cut", () => {
  test.each<[string, string, TelnetEvent[]]>([
    ["data is data", "00 0d 0a f0 fb fe 61", [data("00 0d 0a f0 fb fe 61")]],
    ["doubled ff is ff", "61 ffff 62 ffff ffff", [data("61 ff 62 ff ff")]],
    [
      "ff before a byte below ec is data with it",
      "61 ff 62 ff 00 ffff ff eb",
      [data("61 ff 62 ff 00 ff ff eb")],
    ],
    [
      "EOF, SUSP, ABORT and EOR are commands",
      "61 ff ec 62 ff ed ff ee ff ef 63",
      [data("61"), command(0xec), data("62"), command(0xed), command(0xee), command(0xef), data("63")],
    ],
    [
      "commands stand between data",
      "61 ff f3 62 ff f6 ff f1",
      [data("61"), command(0xf3), data("62"), command(0xf6), command(0xf1)],
    ],
    ["an end without a beginning is a command", "ff f0 61", [command(0xf0), data("61")]],
    [
      "options are negotiated",
      "ff fb 03 ff fc 2c ff fd ff ff fe f0 61",
      [
        { kind: "negotiation", verb: "will", option: 3 },
        { kind: "negotiation", verb: "wont", option: 44 },
        { kind: "negotiation", verb: "do", option: 255 },
        { kind: "negotiation", verb: "dont", option: 240 },
        data("61"),
      ],
    ],
    [
      "a sub-negotiation has its body undoubled",
      "61 ff fa 2c 01 0000 ffff 00 ff f0 62",
      [data("61"), subnegotiation(44, "01 0000 ff 00"), data("62")],
    ],
    ["a body may be empty", "ff fa 18 ff f0", [subnegotiation(24, "")]],
    [
      "ff that is not doubled stays in the body",
      "ff fa 2c 01 0000 ff 00 ff f0",
      [subnegotiation(44, "01 0000 ff 00")],
    ],
    [
      "a sub-negotiation needs an option",
      "ff fa ff f0 61",
      [{ kind: "discarded", reason: "empty", bytes: 0 }, data("61")],
    ],
    [
      "a lost end costs one sub-negotiation",
      "ff fa 2c 01 00 ff fa 2c 07 ff f0 61",
      [{ kind: "discarded", reason: "unfinished", bytes: 3 }, subnegotiation(44, "07"), data("61")],
    ],
    [
      "a command inside a sub-negotiation ends it",
      "ff fa 2c 01 ff fb 2c 61",
      [
        { kind: "discarded", reason: "unfinished", bytes: 2 },
        { kind: "negotiation", verb: "will", option: 44 },
        data("61"),
      ],
    ],
  ])("%s", (_claim, sent, expected) => {
    for (const segments of segmentations(hex(sent))) expect(decodeAll(segments)).toEqual(expected)
  })

  test("a sub-negotiation of the greatest size is whole, and of one byte more is discarded and told", () => {
    for (const [size, kind] of [
      [maxSubnegotiation, "subnegotiation"],
      [maxSubnegotiation + 1, "discarded"],
    ] as const) {
      const sent = new Uint8Array(size + 5).fill(0x41)
      sent.set(hex("ff fa"))
      sent.set(hex("ff f0 62"), size + 2)
      for (const segments of segmentations(sent)) {
        const [first, ...rest] = decodeAll(segments)
        expect(first?.kind).toBe(kind)
        if (first?.kind === "discarded") expect(first.bytes).toBe(size)
        expect(rest).toEqual([data("62")])
      }
    }
  })
})

test("data without escapes is a view of the segment, not a copy", () => {
  const segment = hex("61 62 ff f1 63 64")
  const [first, , last] = new TelnetDecoder().decode(segment)
  expect([first?.kind, last?.kind]).toEqual(["data", "data"])
  for (const event of [first, last])
    if (event?.kind === "data") expect(event.bytes.buffer).toBe(segment.buffer)
})

test("a sub-negotiation that never ends is told with every segment, and the next one works", () => {
  const decoder = new TelnetDecoder()
  expect(decoder.decode(hex("ff fa 2c"))).toEqual([])
  let discarded = 0
  for (let segment = 0; segment < 100; segment++) {
    for (const event of decoder.decode(new Uint8Array(100_000)))
      if (event.kind === "discarded") discarded += event.bytes
    expect(discarded).toBe((segment + 1) * 100_000 + 1)
  }
  expect(decoder.decode(hex("ff fa 2c 07 ff f0"))).toEqual([subnegotiation(44, "07")])
})

test("after any garbage, IAC SE puts the decoder in step", () => {
  const random = seededRandom()
  for (let round = 0; round < 2000; round++) {
    const decoder = new TelnetDecoder()
    decoder.decode(noisyBytes(random, 50))
    const events = decoder.decode(hex("ff f0 ff fa 2c 07 ff f0"))
    expect(events.at(-1), `seed ${random.seed}, round ${round}`).toEqual(subnegotiation(44, "07"))
  }
})

test("random bytes are the same events however they are cut", () => {
  const random = seededRandom()
  for (let round = 0; round < 100; round++) {
    const sent = noisyBytes(random, 50)
    const [whole, ...others] = segmentations(sent).map(decodeAll)
    for (const events of others) expect(events, `seed ${random.seed}, round ${round}`).toEqual(whole)
  }
})

/** Every second byte is one that means something. */
function noisyBytes(random: ReturnType<typeof seededRandom>, length: number): Uint8Array {
  const special = hex("ff ff ff fa f0 fb fd 2c 00 0d")
  return random.bytes(length).map((byte) => (byte % 2 === 0 ? byte : (special[byte % special.length] ?? 0)))
}
