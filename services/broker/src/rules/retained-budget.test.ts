import { expect, test } from "vitest"
import { RetainedBudget } from "./retained-budget.ts"

test("messages are admitted up to the budget, replacements counted once, cleared ones freed", () => {
  const budget = new RetainedBudget(3 * 1024)
  expect(budget.admit("a", 1000)).toBe(true)
  expect(budget.admit("a", 900)).toBe(true)
  expect(budget.admit("b", 1000)).toBe(true)
  expect(budget.admit("c", 1000)).toBe(false)
  expect(budget.admit("a", 0)).toBe(true)
  expect(budget.admit("c", 1000)).toBe(true)
})

test("when the budget is used up, a topic may still shrink but not grow", () => {
  const budget = new RetainedBudget(2 * 1024)
  expect(budget.admit("a", 1500)).toBe(true)
  expect(budget.admit("a", 1600)).toBe(false)
  expect(budget.admit("a", 1400)).toBe(true)
})
