import { clockTroubles, createDeviceState, createTunnelState, FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { createCableSearch } from "./cable-search.ts"

const view = (link: "synchronising" | "idle", online = true) => ({
  device: createDeviceState({ online }),
  tunnel: createTunnelState({ link }),
})

test("only the time counts in which the port was open and the other end was not found", () => {
  const clock = new FakeClock()
  const search = createCableSearch(clock, 1_000)
  expect(search.leftMs(view("synchronising"))).toBe(1_000)
  clock.advance(400)
  expect(search.leftMs(view("synchronising"))).toBe(600)
  expect(search.leftMs(view("idle"))).toBe(Infinity)
  clock.advance(5_000)
  expect(search.leftMs(view("synchronising", false))).toBe(Infinity)
  expect(search.leftMs(view("synchronising"))).toBe(1_000)
  clock.advance(1_000)
  expect(search.leftMs(view("synchronising"))).toBe(0)
})

test("without a time-out it goes on for ever", () => {
  const clock = new FakeClock()
  const search = createCableSearch(clock, null)
  search.leftMs(view("synchronising"))
  clock.advance(1e9)
  expect(search.leftMs(view("synchronising"))).toBe(Infinity)
})

test.each(clockTroubles)("on a machine %s it is looked for as long as was said", (_title, befall) => {
  const clock = new FakeClock()
  const search = createCableSearch(clock, 1_000)
  search.leftMs(view("synchronising"))
  clock.advance(400)
  befall(clock)
  expect(search.leftMs(view("synchronising"))).toBe(600)
})
