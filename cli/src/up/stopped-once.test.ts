import { expect, test } from "vitest"
import { stoppedOnce } from "./stopped-once.ts"

test("is stopped once, and every call waits for that", async () => {
  let stops = 0
  const service = stoppedOnce({ name: "one", isReady: () => true, stop: async () => void stops++ })
  await Promise.all([service.stop(), service.stop()])
  await service.stop()
  expect(stops).toBe(1)
})
