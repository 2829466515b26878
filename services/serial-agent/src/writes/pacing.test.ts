import { concatBytes } from "@serialcast/primitives"
import { seededRandom } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { noPacing, paceBytes, totalPauseMs } from "./pacing.ts"

const text = (slices: Iterable<{ bytes: Uint8Array; pauseMs: number }>) =>
  [...slices].map(({ bytes, pauseMs }) => [Buffer.from(bytes).toString(), pauseMs])

test("without pauses it is cut as coarsely as an interrupted write is counted", () => {
  const sizes = [...paceBytes(new Uint8Array(40_000), noPacing)].map(({ bytes }) => bytes.byteLength)
  expect(sizes).toEqual([16_384, 16_384, 7_232])
  expect([...paceBytes(new Uint8Array(0), { charDelayMs: 1, lineDelayMs: 1 })]).toEqual([])
})

test("a pause follows each byte, each line end, or both", () => {
  const bytes = Buffer.from("a\n\nb")
  expect(text(paceBytes(bytes, { charDelayMs: 0, lineDelayMs: 9 }))).toEqual([
    ["a\n", 9],
    ["\n", 9],
    ["b", 0],
  ])
  expect(text(paceBytes(bytes, { charDelayMs: 2, lineDelayMs: 9 }))).toEqual([
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
    const slices = [...paceBytes(bytes, pacing)]
    expect(concatBytes(slices.map((slice) => slice.bytes)), `seed ${random.seed}`).toEqual(bytes)
    const sum = slices.reduce((total, { pauseMs }) => total + pauseMs, 0)
    expect(sum, `seed ${random.seed}`).toBe(totalPauseMs(bytes, pacing))
  }
})
