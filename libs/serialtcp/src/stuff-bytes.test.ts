import { decodeHex, encodeHex } from "@serialcast/primitives"
import fc from "fast-check"
import { expect, test } from "vitest"
import { LineDecoder } from "./line-decoder.ts"
import { stuffBytes } from "./stuff-bytes.ts"

test.each([
  ["68656c6c6f", "68656c6c6f"],
  ["411f1f421f", "411f1f1f1f421f1f"],
  ["1f441f73", "1f1f441f1f73"],
  ["001113ff", "001113ff"],
  ["1f", "1f1f"],
  ["", ""],
])("%s goes on the line as %s", (data, line) => {
  expect(encodeHex(stuffBytes(decodeHex(data)!)).toLowerCase()).toBe(line)
})

test("of all byte values only the escape byte is doubled", () => {
  const all = Uint8Array.from({ length: 256 }, (_, value) => value)
  expect([...stuffBytes(all)]).toEqual([...all.subarray(0, 0x20), 0x1f, ...all.subarray(0x20)])
})

test("bytes without the escape byte are not copied, on either way", () => {
  const plain = Uint8Array.of(1, 2, 3)
  expect(stuffBytes(plain)).toBe(plain)
  expect(new LineDecoder().decode(plain)).toEqual([{ kind: "data", bytes: plain }])
})

test("decoding undoes stuffing, whatever the bytes and wherever the line splits them", () => {
  const often = fc.oneof(fc.constantFrom(0x1f, 0x44, 0x73), fc.integer({ min: 0, max: 255 }))
  fc.assert(
    fc.property(fc.array(often), fc.array(fc.nat(80)), (values, cuts) => {
      const line = stuffBytes(Uint8Array.from(values))
      const decoder = new LineDecoder()
      const places = [0, ...cuts, line.byteLength].toSorted((a, b) => a - b)
      const items = places.flatMap((to, at) => decoder.decode(line.subarray(places[at - 1] ?? 0, to)))
      expect(items.flatMap((item) => (item.kind === "data" ? [...item.bytes] : [-1]))).toEqual(values)
    }),
  )
})

test("a megabyte that is all escape bytes comes back whole", () => {
  const data = new Uint8Array(1_000_000).fill(0x1f)
  const items = new LineDecoder().decode(stuffBytes(data))
  expect(items).toHaveLength(1)
  expect(items[0]?.kind === "data" && items[0].bytes.byteLength).toBe(data.byteLength)
})
