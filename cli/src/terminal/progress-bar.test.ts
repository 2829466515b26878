import { createDeferred } from "@serialcast/primitives"
import { clockTroubles, FakeClock } from "@serialcast/testkit"
import { expect, test, vi } from "vitest"
import { createTestOutput } from "../testing/test-context.ts"
import { formatProgress, ProgressBar } from "./progress-bar.ts"

test("work of less than a second, and work without a terminal, shows no bar", async () => {
  for (const [isTerminal, ms] of [
    [true, 999],
    [false, 5_000],
  ] as const) {
    const output = createTestOutput({ isTerminal })
    const clock = new FakeClock()
    const bar = new ProgressBar(output, clock)
    clock.advance(ms)
    await bar.update(1, 2)
    await bar.clear()
    expect(output.text).toBe("")
  }
})

test("longer work is redrawn at most ten times a second, on one line that is taken away", async () => {
  const output = createTestOutput({ isTerminal: true })
  const clock = new FakeClock()
  const bar = new ProgressBar(output, clock)
  clock.advance(1_000)
  for (let at = 0; at < 100; at++) {
    await bar.update(at, 100)
    clock.advance(10)
  }
  await bar.clear()
  expect(output.text.split("\r")).toHaveLength(1 + 10 + 1)
  expect(output.text).not.toContain("\n")
  expect(output.text.endsWith("\r\u001b[K")).toBe(true)
})

test("on a terminal that was stopped, one drawing waits, however often there is news", async () => {
  const clock = new FakeClock()
  const taken = createDeferred<void>()
  const write = vi.fn<() => Promise<void>>(() => taken.promise)
  const bar = new ProgressBar({ ...createTestOutput({ isTerminal: true }), write }, clock)
  const drawings = Array.from({ length: 20 }, (_, at) => {
    clock.advance(1_000)
    return bar.update(at, 20)
  })
  expect(write).toHaveBeenCalledTimes(1)
  taken.resolve()
  await Promise.all(drawings)
  clock.advance(1_000)
  await bar.update(20, 20)
  expect(write).toHaveBeenCalledTimes(2)
})

test("a bar tells the part and both sizes; without an end, the size", () => {
  expect(formatProgress(1_200_000, 2_400_000)).toBe(
    `[${"#".repeat(15)}${" ".repeat(15)}]  50 %  1.2 MB of 2.4 MB`,
  )
  expect(formatProgress(0, 0)).toContain("100 %")
  expect(formatProgress(12_345, null)).toBe("12.3 kB")
})

test.each([
  [57, 56],
  [56, 23],
  [24, 23],
  [10, 9],
])("on a terminal of %i columns it stays on its line", async (columns, length) => {
  const output = createTestOutput({ isTerminal: true, columns })
  const clock = new FakeClock()
  const bar = new ProgressBar(output, clock)
  clock.advance(1_000)
  await bar.update(1_200_000, 2_400_000)
  expect(output.text.replace("\r\u001b[K", "")).toHaveLength(length)
})

test.each(clockTroubles)("on a machine %s a bar is shown at its time", async (_title, befall) => {
  const output = createTestOutput({ isTerminal: true })
  const clock = new FakeClock()
  const bar = new ProgressBar(output, clock)
  befall(clock)
  clock.advance(999)
  await bar.update(1, 2)
  expect(output.text).toBe("")
  clock.advance(1)
  await bar.update(1, 2)
  expect(output.text).toContain("50 %")
})
