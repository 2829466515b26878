import { expect, test } from "vitest"
import { createFineWallTime } from "./fine-wall-time.ts"

/** A machine whose wall clock shows whole milliseconds of a time that runs at `rate` of the monotonic one. */
function createMachine({ rate = 1, startMs = 0 } = {}) {
  const machine = { trueMs: startMs, monotonicMs: 7_000.123 }
  const nowUs = createFineWallTime({
    wallMs: () => Math.floor(machine.trueMs),
    monotonicMs: () => machine.monotonicMs,
  })
  const pass = (ms: number) => {
    machine.trueMs += ms * rate
    machine.monotonicMs += ms
  }
  return { machine, nowUs, pass }
}

const year2026 = Date.UTC(2026, 0, 1)

test.each([
  ["from 1970 to now", year2026],
  ["ahead by 5 s", 5_000],
  ["back by an hour", -3_600_000],
  ["back by 3 ms", -3],
])("a wall clock that is set %s is followed at once", (_title, stepMs) => {
  const { machine, nowUs, pass } = createMachine({ startMs: 4_000_000 })
  for (let n = 0; n < 100; n++) {
    nowUs()
    pass(0.31)
  }
  machine.trueMs += stepMs
  expect(Math.floor(nowUs() / 1_000)).toBe(Math.floor(machine.trueMs))
})

test.each([
  ["runs as fast as", 1],
  ["runs faster than", 1.0005],
  ["runs slower than", 0.9995],
])(
  "where the wall clock %s the monotonic one, the microseconds are right and never go back",
  (_title, rate) => {
    const { machine, nowUs, pass } = createMachine({ rate, startMs: year2026 })
    let lastUs = 0
    let worstUs = 0
    for (let n = 0; n < 20_000; n++) {
      pass(n % 3 === 0 ? 0.0137 : 0.1)
      const us = nowUs()
      expect(us).toBeGreaterThanOrEqual(lastUs)
      lastUs = us
      if (n > 2_000) worstUs = Math.max(worstUs, Math.abs(us - machine.trueMs * 1_000))
    }
    // It learns the place in the millisecond from calls that are 100 µs apart.
    expect(worstUs).toBeLessThanOrEqual(150)
  },
)

test("what comes after a long silence is stamped with the time it comes at", () => {
  const { machine, nowUs, pass } = createMachine({ rate: 1.0005, startMs: year2026 })
  nowUs()
  pass(86_400_000.4)
  expect(Math.floor(nowUs() / 1_000)).toBe(Math.floor(machine.trueMs))
})

test("the time is told in whole microseconds, of which two calls in one millisecond tell different ones", () => {
  const { nowUs, pass } = createMachine({ startMs: year2026 })
  const first = nowUs()
  pass(0.25)
  const second = nowUs()
  expect([Number.isSafeInteger(first), second - first]).toEqual([true, 250])
})
