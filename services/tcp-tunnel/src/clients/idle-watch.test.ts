import { clockTroubles, FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { IdleWatch } from "./idle-watch.ts"

function watch(timeoutMs: number | null, isBusy = () => false) {
  const clock = new FakeClock()
  let idle = 0
  const watched = new IdleWatch({ clock, timeoutMs, isBusy, onIdle: () => idle++ })
  return { clock, watched, idle: () => idle }
}

test("it is idle when nothing moved for the whole time, and told once", () => {
  const { clock, watched, idle } = watch(1_000)
  clock.advance(900)
  watched.moved()
  clock.advance(999)
  expect(idle()).toBe(0)
  clock.advance(1)
  expect(idle()).toBe(1)
  clock.advance(10_000)
  expect(idle()).toBe(1)
})

test("it is not idle while something is still to be done, nor before its time after that", () => {
  let isBusy = true
  const { clock, watched, idle } = watch(1_000, () => isBusy)
  clock.advance(5_500)
  isBusy = false
  watched.moved()
  clock.advance(999)
  expect(idle()).toBe(0)
  clock.advance(1)
  expect(idle()).toBe(1)
})

test("without a time it is never idle, and waits for nothing", () => {
  const { clock, idle } = watch(null)
  expect(clock.pendingTimers).toBe(0)
  clock.advance(1e9)
  expect(idle()).toBe(0)
})

test("nothing is left when it is disposed", () => {
  const { clock, watched } = watch(1_000)
  watched[Symbol.dispose]()
  expect(clock.pendingTimers).toBe(0)
})

test.each(clockTroubles)("on a machine %s it is idle at its time", (_title, befall) => {
  const { clock, watched, idle } = watch(1_000)
  clock.advance(500)
  watched.moved()
  befall(clock)
  clock.advance(999)
  expect(idle()).toBe(0)
  clock.advance(1)
  expect(idle()).toBe(1)
})
