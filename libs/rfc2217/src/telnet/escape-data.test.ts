import { seededRandom } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { hex } from "../testing/test-segments.ts"
import { escapeData } from "./escape-data.ts"
import { TelnetDecoder } from "./telnet-decoder.ts"

test("data without ff is the same array", () => {
  const bytes = hex("00 0d 0a f0 fe")
  expect(escapeData(bytes)).toBe(bytes)
})

test.each([
  ["", ""],
  ["ff", "ffff"],
  ["61 ff 62", "61 ffff 62"],
  ["ffffff", "ffffffffffff"],
  ["00 ff", "00 ffff"],
])("each ff of %j is doubled", (data, escaped) => expect(escapeData(hex(data))).toEqual(hex(escaped)))

test("decoding undoes it for all byte values, in one event", () => {
  const random = seededRandom()
  for (const bytes of [random.bytes(100_000), new Uint8Array(1000).fill(0xff)]) {
    const events = new TelnetDecoder().decode(escapeData(bytes))
    expect(events, `seed ${random.seed}`).toEqual([{ kind: "data", bytes }])
  }
})
