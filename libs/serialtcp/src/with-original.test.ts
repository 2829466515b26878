import { msSince } from "@serialcast/primitives"
import { describe, expect, test } from "vitest"
import type { Role } from "./codes.ts"
import { TestWorld, type TestWorldOptions } from "./testing/test-world.ts"

const cable: TestWorldOptions = {
  pieceMs: 1,
  pieceBytes: 12,
  latencyMs: 2,
  payloadBytes: 200,
  ends: "server",
  graceMs: 200,
}

function started(options: Partial<TestWorldOptions>): TestWorld {
  const world = new TestWorld({ ...cable, ...options })
  world.start("server")
  world.start("client")
  return world
}

async function untilWhole(world: TestWorld, count: number, withinMs: number): Promise<void> {
  const fromMs = world.clock.monotonicMs()
  while (world.wholeExchanges() < count) {
    await world.clock.advanceAsync(10)
    const overMs = msSince(world.clock, fromMs)
    if (overMs > withinMs)
      throw new Error(`${world.wholeExchanges()} of ${count} exchanges within ${withinMs} ms.`)
  }
  world.checkDeliveries(1)
}

describe.each([
  ["server", "client"],
  ["client", "server"],
] as const)("this end as %s, the existing program as %s", (ours, theirs) => {
  test("connections that this side ends come through whole, one after the other", async () => {
    const world = started({ originals: [theirs], ends: ours })
    await untilWhole(world, 11, 60_000)
    world.stations[theirs]?.kill()
    expect(world.applications[ours].slice(0, 10).map(({ outcome }) => outcome)).toEqual(
      Array(10).fill("ended"),
    )
  })

  test("bytes are delivered that were read together with the disconnect after them", async () => {
    // It sends its end at once, without the silence that it would itself need.
    const world = started({ originals: [theirs], ends: theirs, pieceBytes: 400 })
    for (let pass = 0; pass < 500; pass++) await world.clock.advanceAsync(10)
    world.stations[theirs]?.kill()
    const sent = world.applications[theirs]
    const got = new Set(world.applications[ours].map(({ received }) => received.join(" ")))
    // Of the last one something may be in the cable still.
    const past = sent.slice(0, -1).filter(({ outcome, isRead }) => outcome === "ended" && isRead)
    expect(past.length).toBeGreaterThan(5)
    expect(past.filter(({ payload }) => !got.has(payload.join(" ")))).toEqual([])
    world.checkDeliveries(0)
  })

  test("whichever is first, the later one is found at once", async () => {
    for (const first of [ours, theirs]) {
      const world = new TestWorld({ ...cable, originals: [theirs], ends: ours })
      world.start(first)
      await world.clock.advanceAsync(100_000)
      world.start(first === ours ? theirs : ours)
      await untilWhole(world, 1, 2_000)
      world.stations[theirs]?.kill()
    }
  })

  test("a target that refuses is told, and costs no later connection", async () => {
    const world = started({ originals: [theirs], ends: ours, isTargetUp: false })
    await world.clock.advanceAsync(10_000)
    expect(world.applications.server.length).toBeGreaterThan(3)
    expect(world.applications.server.flatMap(({ received }) => [...received])).toEqual([])
    world.isTargetUp = true
    await untilWhole(world, 3, 30_000)
    world.stations[theirs]?.kill()
  })

  test.each(["server", "client"] as const)(
    "the %s may be killed and started again at any moment",
    async (victim) => {
      for (let ms = 1; ms < 300; ms += 11) {
        const world = started({ originals: [theirs], ends: ours })
        await untilWhole(world, 1, 10_000)
        await world.clock.advanceAsync(ms * 7)
        restart(world, victim)
        // The existing program looks at one code a second.
        await untilWhole(world, world.wholeExchanges() + 1, 15_000)
        world.stations[theirs]?.kill()
      }
    },
  )
})

function restart(world: TestWorld, victim: Role): void {
  world.kill(victim, "all")
  world.start(victim)
}
