import { createWakeup } from "@serialcast/primitives"
import { clockTroubles, FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { createPacedWake } from "./paced-wake.ts"

/** `woken` counts the wakes that got through. */
function start(readers: number) {
  const clock = new FakeClock()
  const counter = { ...createWakeup(), woken: 0, wake: () => void counter.woken++ }
  return { clock, counter, wake: createPacedWake({ wakeup: counter, clock, readers: () => readers }) }
}

test("a thousand readers are woken at once, then every 50 ms, and never miss the last of it", () => {
  const { clock, counter, wake } = start(1_000)
  wake()
  expect(counter.woken).toBe(1)
  for (let ms = 0; ms < 100; ms++) {
    wake()
    clock.advance(1)
  }
  expect(counter.woken).toBe(3)
  wake()
  clock.advance(50)
  expect(counter.woken).toBe(4)
  clock.advance(1_000)
  expect([counter.woken, clock.pendingTimers]).toEqual([4, 0])
  wake()
  expect(counter.woken).toBe(5)
})

test("a few readers are never held up", () => {
  const { clock, counter, wake } = start(19)
  for (let count = 0; count < 10; count++) wake()
  expect([counter.woken, clock.pendingTimers]).toEqual([10, 0])
})

test.each(clockTroubles)("on a machine %s many readers are woken as often as ever", (_title, befall) => {
  const { clock, counter, wake } = start(1_000)
  wake()
  befall(clock)
  wake()
  clock.advance(49)
  expect(counter.woken).toBe(1)
  clock.advance(1)
  expect(counter.woken).toBe(2)
})
