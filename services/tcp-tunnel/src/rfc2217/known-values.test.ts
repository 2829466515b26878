import { createDeferred } from "@serialcast/primitives"
import { clockTroubles, FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { KnownValues } from "./known-values.ts"

interface Values {
  readonly rate: number
  readonly bits: number
}

/** Values 1 and 8, and what the device's state tells of them. */
function setUp(told: Partial<Values> = {}) {
  const clock = new FakeClock()
  const state = { told }
  const known = new KnownValues<Values>({ initial: { rate: 1, bits: 8 }, told: () => state.told, clock })
  return { clock, state, known }
}

test("values are as they are told, and what is not told as they were", () => {
  const { known, state } = setUp({ rate: 2 })
  expect(known.values).toEqual({ rate: 2, bits: 8 })
  state.told = {}
  expect(known.values).toEqual({ rate: 2, bits: 8 })
  expect(known.has({ rate: 2 })).toBe(true)
  expect(known.has({ rate: 2, bits: 7 })).toBe(false)
})

test("a change counts from when it was asked for, whatever is told meanwhile", async () => {
  const { known } = setUp({ rate: 2 })
  const answered = createDeferred<Partial<Values>>()
  const changing = known.change({ rate: 3 }, () => answered.promise)
  expect(known.values.rate).toBe(3)
  answered.resolve({ rate: 3, bits: 8 })
  await changing
  expect(known.values.rate).toBe(3)
})

test("an answer counts for a second, then what is told does", async () => {
  const { known, clock, state } = setUp({ rate: 2 })
  await known.change({ rate: 3 }, async () => ({ rate: 4 }))
  clock.advance(999)
  expect(known.values.rate).toBe(4)
  state.told = { rate: 5 }
  clock.advance(1)
  expect(known.values.rate).toBe(5)
})

test("of changes that overlap, the answer to one tells what became of it, and nothing of the others", async () => {
  const { known } = setUp({ rate: 2 })
  const first = createDeferred<Partial<Values>>()
  const second = createDeferred<Partial<Values>>()
  const changes = [
    known.change({ bits: 7 }, () => first.promise),
    known.change({ rate: 3 }, () => second.promise),
  ]
  first.resolve({ rate: 2, bits: 8 })
  await changes[0]
  expect(known.values).toEqual({ rate: 3, bits: 8 })
  second.resolve({ rate: 3, bits: 8 })
  await changes[1]
  expect(known.values).toEqual({ rate: 3, bits: 8 })
})

test("a change that fails leaves what was before, and throws", async () => {
  const { known } = setUp({ rate: 2 })
  const failing = known.change({ rate: 3 }, () => Promise.reject(new Error("refused")))
  expect(known.values.rate).toBe(3)
  await expect(failing).rejects.toThrow("refused")
  expect(known.values.rate).toBe(2)
})

test("of changes that overlap, one that fails takes back only its own", async () => {
  const { known } = setUp()
  const first = createDeferred<null>()
  const second = createDeferred<null>()
  const failing = known.change({ rate: 3 }, () => first.promise)
  const changing = known.change({ bits: 7 }, () => second.promise)
  first.reject(new Error("refused"))
  await expect(failing).rejects.toThrow("refused")
  second.resolve(null)
  await changing
  expect(known.values).toEqual({ rate: 1, bits: 7 })
})

test("the answer to one change does not undo another that is still on its way", async () => {
  const { known } = setUp()
  const second = createDeferred<null>()
  const first = known.change({ rate: 3 }, async () => ({ rate: 3, bits: 8 }))
  const other = known.change({ bits: 7 }, () => second.promise)
  await first
  expect(known.values).toEqual({ rate: 3, bits: 7 })
  second.resolve(null)
  await other
})

test("what is set without a call stays while nothing is told of it", () => {
  const { known, state } = setUp()
  known.set({ rate: 6 })
  expect(known.values.rate).toBe(6)
  state.told = { rate: 7 }
  expect(known.values.rate).toBe(7)
})

test.each(clockTroubles)("on a machine %s an answer counts for a second", async (_title, befall) => {
  const { known, clock } = setUp({ rate: 2 })
  await known.change({ rate: 3 }, async () => ({ rate: 4 }))
  befall(clock)
  clock.advance(999)
  expect(known.values.rate).toBe(4)
  clock.advance(1)
  expect(known.values.rate).toBe(2)
})
