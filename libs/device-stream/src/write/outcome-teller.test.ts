import { expect, test } from "vitest"
import type { DeviceLease } from "./held-lease.ts"
import type { LeaseOptions } from "./lease-calls.ts"
import { tellOutcome } from "./outcome-teller.ts"

const failure = new Error("No room.")

/** What is told of the work at the end of its lease, when this error is what giving it up looks like. */
async function outcomeOf(work: () => Promise<unknown>, givenUp?: unknown) {
  let asked: LeaseOptions | undefined
  const acquireLease = (options: LeaseOptions): Promise<DeviceLease> => {
    asked = options
    return Promise.reject(new Error("No lease is needed for this."))
  }
  const told = tellOutcome({ acquireLease }, (error) => error === givenUp)
  await told.device.acquireLease({ by: "ann", ttlMs: 1_000 }).catch(() => {})
  await told.run(work).catch(() => {})
  return asked?.outcome?.()
}

test("work that comes to its end is done, any other has failed", async () => {
  expect(await outcomeOf(async () => 1)).toBeUndefined()
  expect(await outcomeOf(() => Promise.reject(failure))).toBe("failed")
})

test("work that was given up is cancelled, unless it was done before", async () => {
  expect(await outcomeOf(() => Promise.reject(failure), failure)).toBe("cancelled")
  expect(await outcomeOf(async () => 1, failure)).toBeUndefined()
})
