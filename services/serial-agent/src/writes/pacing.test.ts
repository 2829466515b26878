import { concatBytes } from "@serialcast/primitives"
import { seededRandom } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { firstSlice, noPacing, type Pacing, totalPauseMs } from "./pacing.ts"

function slicesOf(bytes: Uint8Array, pacing: Pacing, sliceBytes: number) {
  const slices = []
  for (let at = 0; at < bytes.byteLength; ) {
    const slice = firstSlice(bytes.subarray(at), pacing, sliceBytes)
    slices.push(slice)
    at += slice.bytes.byteLength
  }
  return slices
}

const text = (slices: Iterable<{ bytes: Uint8Array; pauseMs: number }>) =>
  [...slices].map(({ bytes, pauseMs }) => [Buffer.from(bytes).toString(), pauseMs])

test("without pauses the slices are as large as they may be", () => {
  const sizes = slicesOf(new Uint8Array(250), noPacing, 100).map(({ bytes }) => bytes.byteLength)
  expect(sizes).toEqual([100, 100, 50])
})

test("a pause follows each byte, each line end, or both", () => {
  const bytes = Buffer.from("a\n\nb")
  expect(text(slicesOf(bytes, { charDelayMs: 0, lineDelayMs: 9 }, 100))).toEqual([
    ["a\n", 9],
    ["\n", 9],
    ["b", 0],
  ])
  expect(text(slicesOf(bytes, { charDelayMs: 2, lineDelayMs: 9 }, 100))).toEqual([
    ["a", 2],
    ["\n", 11],
    ["\n", 11],
    ["b", 2],
  ])
})

test("the slices are the whole, and their pauses the sum", () => {
  const random = seededRandom()
  for (let round = 0; round < 100; round++) {
    const bytes = random.bytes(Math.floor(random.next() * 3_000)).map((byte) => (byte < 20 ? 0x0a : byte))
    const pacing = { charDelayMs: random.next() < 0.5 ? 0 : 2, lineDelayMs: random.next() < 0.3 ? 0 : 7 }
    const slices = slicesOf(bytes, pacing, 1 + Math.floor(random.next() * 300))
    expect(concatBytes(slices.map((slice) => slice.bytes)), `seed ${random.seed}`).toEqual(bytes)
    const sum = slices.reduce((total, { pauseMs }) => total + pauseMs, 0)
    expect(sum, `seed ${random.seed}`).toBe(totalPauseMs(bytes, pacing))
  }
})
