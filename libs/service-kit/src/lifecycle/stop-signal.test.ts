import { EventEmitter } from "node:events"
import { FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { stopSignal } from "./stop-signal.ts"

test("the first signal asks to stop; its echo does nothing; a later one insists", async () => {
  const clock = new FakeClock()
  const source = new EventEmitter()
  let insisted = 0
  const signalled = stopSignal({ clock, source, insist: () => insisted++ })
  source.emit("SIGINT", "SIGINT")
  expect(await signalled).toBe("SIGINT")
  clock.advance(500)
  source.emit("SIGINT", "SIGINT")
  expect(insisted).toBe(0)
  clock.advance(1)
  source.emit("SIGTERM", "SIGTERM")
  expect(insisted).toBe(1)
})
