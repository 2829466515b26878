import { expect, test } from "vitest"
import { seededRandom } from "./seeded-random.ts"

test("the same seed gives the same bytes and numbers", () => {
  const first = seededRandom()
  const second = seededRandom(first.seed)
  expect(first.bytes(1001)).toEqual(second.bytes(1001))
  expect(first.next()).toBe(second.next())
})

test("every byte value comes about equally often", () => {
  const counts = new Uint32Array(256)
  for (const byte of seededRandom(1).bytes(256 * 1000)) counts[byte]! += 1
  expect(Math.min(...counts)).toBeGreaterThan(850)
  expect(Math.max(...counts)).toBeLessThan(1150)
})
