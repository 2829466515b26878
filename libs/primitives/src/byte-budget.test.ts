import { expect, test } from "vitest"
import { type ByteAccount, ByteBudget } from "./byte-budget.ts"

const create = () => new ByteBudget({ totalBytes: 1_200, freeBytes: 10 })

/** Grows accounts of `owner` one byte at a time until there is no more room; answers what they hold beyond what is free. */
function fill(account: ByteAccount): number {
  let bytes = 10
  while (account.resize(bytes + 1)) bytes++
  return bytes - 10
}

test("one owner gets half, the next half of what is left, and there is always room for one more", () => {
  const budget = create()
  expect(["a", "b", "c"].map((owner) => fill(budget.open(owner)))).toEqual([600, 300, 150])
  expect(budget.heldBytes).toBe(1_050)
})

test("the accounts of one owner share what it may have", () => {
  const budget = create()
  const [first, second] = [budget.open("a"), budget.open("a")]
  expect(fill(first) + fill(second)).toBe(600)
  first[Symbol.dispose]()
  expect(fill(second)).toBe(600)
})

test("what is small always passes, however much others hold", () => {
  const budget = create()
  for (let owner = 0; owner < 50; owner++) fill(budget.open(`${owner}`))
  const small = budget.open("a")
  expect([small.resize(10), small.resize(1_000), small.resize(10)]).toEqual([true, false, true])
})

test("less is always possible, and what was given back is there for others", () => {
  const budget = create()
  const account = budget.open("a")
  expect(account.resize(610)).toBe(true)
  const other = budget.open("b")
  expect([other.resize(310), other.resize(410)]).toEqual([true, false])
  expect(account.resize(110)).toBe(true)
  expect(other.resize(410)).toBe(true)
  for (const { [Symbol.dispose]: dispose } of [account, other]) dispose()
  expect(budget.heldBytes).toBe(0)
})

test("a refusal changes nothing, and giving back twice gives back once", () => {
  const budget = create()
  const account = budget.open("a")
  account.resize(110)
  expect(account.resize(5_000)).toBe(false)
  expect(budget.heldBytes).toBe(100)
  account[Symbol.dispose]()
  account[Symbol.dispose]()
  expect(budget.heldBytes).toBe(0)
})

test("an account that was given back holds nothing any more, whoever still tells of it", () => {
  const budget = create()
  const account = budget.open("a")
  account[Symbol.dispose]()
  expect([account.resize(500), budget.heldBytes]).toEqual([false, 0])
})
