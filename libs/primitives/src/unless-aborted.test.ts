import { getEventListeners } from "node:events"
import { expect, test } from "vitest"
import { createDeferred } from "./deferred.ts"
import { unlessAborted } from "./unless-aborted.ts"

test("work that is over first is what it comes to, a failure too, and the signal is let go", async () => {
  const { signal } = new AbortController()
  expect(await unlessAborted(Promise.resolve(7), signal)).toBe(7)
  await expect(unlessAborted(Promise.reject(new Error("no")), signal)).rejects.toThrow("no")
  expect(await unlessAborted(Promise.resolve(8), undefined)).toBe(8)
  expect(getEventListeners(signal, "abort")).toHaveLength(0)
})

test("an abort ends the wait, before it begins too, with what is made of it", async () => {
  const stop = new AbortController()
  const work = createDeferred<number>()
  const waits = [
    unlessAborted(work.promise, stop.signal),
    unlessAborted(work.promise, stop.signal, () => "stopped"),
    unlessAborted(work.promise, stop.signal, async () => "later"),
  ]
  stop.abort()
  expect(await Promise.all(waits)).toEqual([undefined, "stopped", "later"])
  expect(await unlessAborted(work.promise, AbortSignal.abort(), () => "before")).toBe("before")
  const failing = unlessAborted(work.promise, AbortSignal.abort(), () => Promise.reject(new Error("gone")))
  await expect(failing).rejects.toThrow("gone")
  expect(getEventListeners(stop.signal, "abort")).toHaveLength(0)
})
