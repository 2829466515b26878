import { clockTroubles, FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { RefusalLog } from "./refusal-log.ts"

const told = (untold = 0) => ({ untold })

test("a refusal is news once a minute for each address, with the number of those that were left out", () => {
  const clock = new FakeClock()
  const log = new RefusalLog(clock)
  expect(["10.0.0.1", "10.0.0.1", "10.0.0.2"].map((key) => log.next(key))).toEqual([told(), null, told()])
  clock.advance(59_999)
  expect(log.next("10.0.0.1")).toBeNull()
  clock.advance(1)
  expect([log.next("10.0.0.1"), log.next("10.0.0.1")]).toEqual([told(2), null])
})

test("however many addresses are refused, a minute has 60 lines", () => {
  const clock = new FakeClock()
  const log = new RefusalLog(clock)
  const refuse = () =>
    Array.from({ length: 5_000 }, (_, n) => log.next(`10.0.${n}`)).filter((line) => line !== null)
  expect(refuse()).toHaveLength(60)
  expect(refuse()).toHaveLength(0)
  clock.advance(60_000)
  expect(refuse()).toHaveLength(60)
})

test.each(clockTroubles)("on a machine %s it is news again a minute later", (_title, befall) => {
  const clock = new FakeClock()
  const log = new RefusalLog(clock)
  log.next("10.0.0.1")
  befall(clock)
  clock.advance(59_999)
  expect(log.next("10.0.0.1")).toBeNull()
  clock.advance(1)
  expect(log.next("10.0.0.1")).toEqual(told(1))
})
