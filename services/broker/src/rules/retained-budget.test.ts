import { expect, test } from "vitest"
import { RetainedBudget } from "./retained-budget.ts"

test("messages are admitted up to the budget, replacements counted once, cleared ones freed", () => {
  const budget = new RetainedBudget(3 * 1024)
  expect(budget.admit("a", 1000, true)).toBe(true)
  expect(budget.admit("a", 900, true)).toBe(true)
  expect(budget.admit("b", 1000, true)).toBe(true)
  expect(budget.admit("c", 1000, true)).toBe(false)
  expect(budget.admit("a", 0, true)).toBe(true)
  expect(budget.admit("c", 1000, true)).toBe(true)
})

test("when the budget is used up, a topic may still shrink but not grow", () => {
  const budget = new RetainedBudget(2 * 1024)
  expect(budget.admit("a", 1500, true)).toBe(true)
  expect(budget.admit("a", 1600, true)).toBe(false)
  expect(budget.admit("a", 1400, true)).toBe(true)
})

test("strangers' messages leave a quarter to those of the contract", () => {
  const budget = new RetainedBudget(8 * 1024)
  for (let n = 0; n < 4; n++) expect(budget.admit(`s${n}`, 1_000, false)).toBe(true)
  expect(budget.admit("s4", 1_000, false)).toBe(false)
  expect(budget.admit("serialcast/local/status", 1_000, true)).toBe(true)
  expect(budget.admit("s0", 0, false)).toBe(true)
  expect(budget.admit("s4", 1_000, false)).toBe(true)
})
