import { expect, test } from "vitest"
import { eventually } from "./eventually.ts"

test("the first value that comes without a throw is the answer", async () => {
  let tries = 0
  const value = await eventually(
    () => {
      tries += 1
      if (tries < 3) throw new Error("not yet")
      return "there"
    },
    { intervalMs: 1 },
  )
  expect([value, tries]).toEqual(["there", 3])
})

test("at the deadline the last error is thrown", async () => {
  const never = eventually(() => Promise.reject(new Error("still not")), { timeoutMs: 5, intervalMs: 1 })
  await expect(never).rejects.toThrow("still not")
})
