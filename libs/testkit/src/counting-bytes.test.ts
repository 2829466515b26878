import { expect, test } from "vitest"
import { checkCounting, countingBytes } from "./counting-bytes.ts"

test("word k holds k, and any part of the stream equals the same part of the whole", () => {
  const whole = countingBytes(0, 64 * 1024)
  expect(new DataView(whole.buffer).getBigUint64(8 * 4711)).toBe(4711n)
  for (const [offset, length] of [
    [0, 0],
    [1, 3],
    [7, 9],
    [8, 8],
    [2049, 30_000],
  ] as const) {
    expect(countingBytes(offset, length)).toEqual(whole.slice(offset, offset + length))
  }
})

test("offsets above 2^32 keep their place", () => {
  const offset = 2 ** 40
  expect(new DataView(countingBytes(offset, 8).buffer).getBigUint64(0)).toBe(BigInt(offset / 8))
})

test("loss, repetition and change are located", () => {
  const bytes = countingBytes(100, 1000)
  expect(checkCounting(bytes, 100)).toBeUndefined()
  const lost = new Uint8Array([...bytes.subarray(0, 500), ...bytes.subarray(508)])
  expect(checkCounting(lost, 100)).toBeGreaterThanOrEqual(600)
  expect(checkCounting(lost, 100)).toBeLessThan(608)
  bytes[321]! ^= 1
  expect(checkCounting(bytes, 100)).toBe(421)
})
