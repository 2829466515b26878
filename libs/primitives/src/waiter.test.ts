import { expect, test } from "vitest"
import type { Clock } from "./clock.ts"
import type { MonotonicMs, WallMs, WallUs } from "./time-kinds.ts"
import { createWaiter } from "./waiter.ts"
import { createWakeup } from "./wakeup.ts"

/** Fires what is due when the test says so. */
class HandClock implements Clock {
  /** Since the start of the machine: what timers go by. */
  ms = 1_000
  setBackMs = 0
  started = 0
  readonly #timers = new Map<number, { readonly atMs: number; readonly fire: () => void }>()

  get pending(): number {
    return this.#timers.size
  }

  nowMs(): WallMs {
    // A test's time of day.
    return (this.ms - this.setBackMs) as WallMs
  }

  nowUs(): WallUs {
    return (this.nowMs() * 1_000) as WallUs
  }

  monotonicMs(): MonotonicMs {
    return this.ms as MonotonicMs
  }

  startTimer(delayMs: number, fire: () => void) {
    const id = this.started++
    this.#timers.set(id, { atMs: this.ms + delayMs, fire })
    const cancel = () => void this.#timers.delete(id)
    return { cancel, [Symbol.dispose]: cancel }
  }

  moveTo(ms: number): void {
    for (; this.ms < ms; this.ms++) this.#fireDue()
    this.#fireDue()
  }

  #fireDue(): void {
    for (const [id, { atMs, fire }] of this.#timers) {
      if (atMs > this.ms) continue
      this.#timers.delete(id)
      fire()
    }
  }
}

test("each wake ends the wait of that moment", async () => {
  const wakeup = createWakeup()
  using waiter = createWaiter(wakeup, { clock: new HandClock() })
  for (let n = 0; n < 3; n++) {
    wakeup.wake()
    const waiting = waiter.wait(1_000)
    wakeup.wake()
    expect(await waiting).toBe("woken")
  }
})

test("a poke wakes this one alone", async () => {
  const wakeup = createWakeup()
  const clock = new HandClock()
  const [one, other] = [createWaiter(wakeup, { clock }), createWaiter(wakeup, { clock })]
  const waiting = [one.wait(1_000), other.wait(5)]
  one.poke()
  clock.moveTo(2_000)
  expect(await Promise.all(waiting)).toEqual(["woken", "timeout"])
})

test("a wait times out as long after its own start as it says, whatever was waited for before", async () => {
  const clock = new HandClock()
  const wakeup = createWakeup()
  using waiter = createWaiter(wakeup, { clock })
  for (const timeoutMs of [100, 40, 100, 250, 10]) {
    const woken = waiter.wait(100)
    clock.moveTo(clock.ms + 30)
    wakeup.wake()
    expect(await woken).toBe("woken")
    let end: string | null = null
    void waiter.wait(timeoutMs).then((why) => (end = why))
    const startMs = clock.ms
    clock.moveTo(startMs + timeoutMs - 1)
    await Promise.resolve()
    expect(end).toBeNull()
    clock.moveTo(startMs + timeoutMs)
    await Promise.resolve()
    expect(end).toBe("timeout")
  }
})

test("a thousand waits that are woken need one timer", async () => {
  const clock = new HandClock()
  const wakeup = createWakeup()
  using waiter = createWaiter(wakeup, { clock })
  for (let n = 0; n < 1_000; n++) {
    const waiting = waiter.wait(25_000)
    wakeup.wake()
    await waiting
  }
  expect(clock.started).toBe(1)
})

test("a clock that is set back delays no timeout", async () => {
  const clock = new HandClock()
  using waiter = createWaiter(createWakeup(), { clock })
  const waiting = waiter.wait(100)
  clock.setBackMs = 3_600_000
  clock.moveTo(1_100)
  expect(await waiting).toBe("timeout")
})

test("an abort ends the wait and all later ones; so does disposing it, which leaves nothing behind", async () => {
  const clock = new HandClock()
  const leaving = new AbortController()
  const aborted = createWaiter(createWakeup(), { clock, signal: leaving.signal })
  const disposed = createWaiter(createWakeup(), { clock })
  const waiting = [aborted.wait(1_000), disposed.wait(1_000)]
  leaving.abort()
  disposed[Symbol.dispose]()
  expect(await Promise.all(waiting)).toEqual(["aborted", "aborted"])
  expect(await Promise.all([aborted.wait(1_000), disposed.wait(1_000)])).toEqual(["aborted", "aborted"])
  aborted[Symbol.dispose]()
  expect(clock.pending).toBe(0)
})
