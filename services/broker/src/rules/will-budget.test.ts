import { expect, test } from "vitest"
import { WillBudget } from "./will-budget.ts"

const KiB = 1024

test("a will has at most 64 KiB, all together 16 MiB, and what ends makes room", () => {
  const wills = new WillBudget()
  expect(wills.admit({}, 64 * KiB + 1)).toBe(false)
  const holders = Array.from({ length: 256 }, () => ({}))
  expect(holders.every((holder) => wills.admit(holder, 64 * KiB))).toBe(true)
  expect(wills.admit({}, 1)).toBe(false)
  expect(wills.admit({}, 0)).toBe(true)
  wills.release(holders[7]!)
  // Once only.
  wills.release(holders[7]!)
  expect([wills.admit({}, 64 * KiB), wills.admit({}, 1)]).toEqual([true, false])
})
