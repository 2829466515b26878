import { decodeHex, encodeHex } from "@serialcast/primitives"
import { expect, test } from "vitest"
import { LineDecoder, type LineItem } from "./line-decoder.ts"

/** Like `68656c D` for data and then a code; neighbouring data is one. */
function textOf(items: readonly LineItem[]): string {
  return items
    .map((item) =>
      item.kind === "data" ? encodeHex(item.bytes).toLowerCase() : ` ${item.code.toString(16)} `,
    )
    .join("")
}

test.each([
  ["68656c6c6f1f44", "68656c6c6f 44 "],
  ["1f441f441fc1", " 44  44  c1 "],
  ["1f631f73626d1f1f1f44ff", " 63  73 626d1f 44 ff"],
  ["1f1f1f1f1f1f1f73", "1f1f1f 73 "],
  ["1f001f11", " 0  11 "],
])("%s is the same items in their order, wherever it is split", (line, expected) => {
  const bytes = decodeHex(line)!
  for (let at = 0; at <= bytes.byteLength; at++) {
    const decoder = new LineDecoder()
    expect(textOf([...decoder.decode(bytes.subarray(0, at)), ...decoder.decode(bytes.subarray(at))])).toBe(
      expected,
    )
  }
  const decoder = new LineDecoder()
  expect(textOf(Array.from(bytes, (byte) => decoder.decode(Uint8Array.of(byte))).flat())).toBe(expected)
})

test("after a reset half a pair is forgotten", () => {
  const decoder = new LineDecoder()
  expect(decoder.decode(Uint8Array.of(0x61, 0x1f))).toEqual([{ kind: "data", bytes: Uint8Array.of(0x61) }])
  decoder.reset()
  expect(textOf(decoder.decode(Uint8Array.of(0x44)))).toBe("44")
})
