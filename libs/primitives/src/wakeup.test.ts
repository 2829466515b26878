import { expect, test } from "vitest"
import { systemClock } from "./clock.ts"
import { createWakeup } from "./wakeup.ts"

test("wake resumes everyone who waits, and nobody who comes later", async () => {
  const wakeup = createWakeup()
  const waiting = Promise.all([wakeup.wait(), wakeup.wait()])
  wakeup.wake()
  expect(await waiting).toEqual(["woken", "woken"])
  const late = new AbortController()
  const lateWait = wakeup.wait({ signal: late.signal })
  late.abort()
  expect(await lateWait).toBe("aborted")
})

test("an aborted signal ends the wait at once", async () => {
  expect(await createWakeup().wait({ signal: AbortSignal.abort() })).toBe("aborted")
})

test("a timeout ends the wait, and a wake before it cancels it", async () => {
  const wakeup = createWakeup()
  expect(await wakeup.wait({ timeout: { clock: systemClock, ms: 1 } })).toBe("timeout")
  const waiting = wakeup.wait({ timeout: { clock: systemClock, ms: 3_600_000 } })
  wakeup.wake()
  expect(await waiting).toBe("woken")
})
