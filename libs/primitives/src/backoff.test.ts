import { expect, test } from "vitest"
import { createBackoff } from "./backoff.ts"

test("delays double up to the cap and start again after a reset", () => {
  const backoff = createBackoff({ minMs: 100, maxMs: 400, random: () => 1 - Number.EPSILON })
  expect([backoff.next(), backoff.next(), backoff.next(), backoff.next()]).toEqual([100, 200, 400, 400])
  backoff.reset()
  expect(backoff.next()).toBe(100)
})

test("jitter never shortens a delay below half", () => {
  const backoff = createBackoff({ minMs: 100, maxMs: 400, random: () => 0 })
  expect([backoff.next(), backoff.next()]).toEqual([50, 100])
})
