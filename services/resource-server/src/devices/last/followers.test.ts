import { setMaxListeners } from "node:events"
import { AppError } from "@serialcast/contract"
import type { DeviceClient } from "@serialcast/device-stream"
import { createLogger } from "@serialcast/service-kit"
import { eventually, FakeClock } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import { Followers } from "./followers.ts"

const cursor = { epoch: "00000000000000aa", offset: 0, mark: 0 }

/** Devices that say nothing; `reading` is how many of them are read live. */
function startFollowers() {
  const clock = new FakeClock()
  const counts = { reading: 0 }
  const device = () => ({
    async *history() {
      yield { kind: "positioned", cursor }
    },
    async *read({ signal }: { readonly signal: AbortSignal }) {
      counts.reading += 1
      try {
        yield { kind: "positioned", cursor }
        if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve))
      } finally {
        counts.reading -= 1
      }
    },
  })
  // Of a client it uses no more than this.
  const devices = { device, devices: { get: () => undefined } } as unknown as DeviceClient
  const followers = new Followers({ devices, clock, log: createLogger({ name: "test", level: "silent" }) })
  onTestFinished(() => followers.stop())
  return { clock, counts, followers }
}

test("a device is followed once, whoever asks, and no more when nobody asked for five minutes", async () => {
  const { clock, counts, followers } = startFollowers()
  const one = followers.follow("a/a")
  expect(followers.follow("a/a")).toBe(one)
  followers.follow("a/b")
  await eventually(() => expect(counts.reading).toBe(2))
  clock.advance(4 * 60_000)
  followers.follow("a/a")
  clock.advance(2 * 60_000)
  await eventually(() => expect([counts.reading, followers.size]).toEqual([1, 1]))
  expect(followers.follow("a/a")).toBe(one)
  await followers.stop()
  expect(counts.reading).toBe(0)
})

test("one more than there may be takes the place of the one that nobody asked for the longest, unless all are waited for", async () => {
  const { clock, followers } = startFollowers()
  const first = followers.follow("a/0")
  clock.advance(1_000)
  const others = Array.from({ length: 63 }, (_, n) => followers.follow(`a/${n + 1}`))
  clock.advance(1_000)
  followers.follow("a/x")
  expect(followers.size).toBe(64)
  await first.over
  const leaving = new AbortController()
  setMaxListeners(0, leaving.signal)
  const all = [...others, followers.follow("a/x")]
  const waits = all.map((follower) => followers.wait(follower, 60_000, leaving.signal))
  expect(() => followers.follow("a/y")).toThrow(AppError)
  leaving.abort()
  await Promise.all(waits)
  followers.follow("a/y")
})
