import { EventEmitter } from "node:events"
import { clockTroubles, FakeClock } from "@serialcast/testkit"
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

test.each(clockTroubles)(
  "on a machine %s an echo is an echo, and a later signal insists",
  (_title, befall) => {
    const clock = new FakeClock()
    const source = new EventEmitter()
    let insisted = 0
    void stopSignal({ clock, source, insist: () => insisted++ })
    source.emit("SIGINT", "SIGINT")
    befall(clock)
    source.emit("SIGINT", "SIGINT")
    expect(insisted).toBe(0)
    clock.advance(501)
    source.emit("SIGINT", "SIGINT")
    expect(insisted).toBe(1)
  },
)
