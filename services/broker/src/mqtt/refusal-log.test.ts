import { clockTroubles, FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { createRefusalLog } from "./refusal-log.ts"

test("a refused log-in is news once a minute for each address", () => {
  const clock = new FakeClock()
  const isNews = createRefusalLog(clock)
  expect([isNews("10.0.0.1"), isNews("10.0.0.1"), isNews("10.0.0.2")]).toEqual([true, false, true])
  clock.advance(59_999)
  expect(isNews("10.0.0.1")).toBe(false)
  clock.advance(1)
  expect([isNews("10.0.0.1"), isNews("10.0.0.1")]).toEqual([true, false])
})

test.each(clockTroubles)("on a machine %s it is news again a minute later", (_title, befall) => {
  const clock = new FakeClock()
  const isNews = createRefusalLog(clock)
  isNews("10.0.0.1")
  befall(clock)
  clock.advance(59_999)
  expect(isNews("10.0.0.1")).toBe(false)
  clock.advance(1)
  expect(isNews("10.0.0.1")).toBe(true)
})
