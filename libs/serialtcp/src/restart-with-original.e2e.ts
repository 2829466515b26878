import { msSince } from "@serialcast/primitives"
import { describe, test } from "vitest"
import type { Role } from "./codes.ts"
import { TestWorld, type TestWorldOptions } from "./testing/test-world.ts"

const roles = ["server", "client"] as const

/** A byte each millisecond, so that the cable can be cut at every one of them. */
const slow = { pieceMs: 1, pieceBytes: 1, latencyMs: 3, payloadBytes: 12, graceMs: 40 } as const

/** The existing program looks at a code a second, and may have one before the disconnect; then some bytes follow. */
const lateMs = 2_100
/** One that was started a moment ago answers at once. */
const promptMs = 100

function started(options: TestWorldOptions): TestWorld {
  const world = new TestWorld(options)
  for (const role of roles) world.start(role)
  return world
}

function end(world: TestWorld): void {
  for (const role of roles) world.stations[role]?.kill()
}

/** Of each line, until two connections have been made. */
async function undisturbedBytes(options: TestWorldOptions): Promise<Record<Role, number>> {
  const world = started(options)
  while (world.wholeExchanges() < 2) await world.clock.advanceAsync(10)
  end(world)
  return { server: world.lines.server.sentBytes, client: world.lines.client.sentBytes }
}

async function until(world: TestWorld, what: string, withinMs: number, isSo: () => boolean): Promise<void> {
  const fromMs = world.clock.monotonicMs()
  while (!isSo()) {
    await world.clock.advanceAsync(20)
    if (msSince(world.clock, fromMs) > withinMs) throw new Error(`${what} took longer than ${withinMs} ms.`)
  }
}

describe.each([
  ["server", "client"],
  ["client", "server"],
] as const)("this end as %s, the existing program as %s", (ours, theirs) => {
  /** Kills `victim`, starts it again, and checks that everything goes on as it should. */
  async function restart(world: TestWorld, victim: Role, downMs: number): Promise<void> {
    world.kill(victim, downMs === 0 ? "all" : "none")
    await world.clock.advanceAsync(downMs)
    world.start(victim)
    const { reports } = world.core(ours)
    const seen = reports.length
    const isBack = () => reports.slice(seen).some(({ kind }) => kind === "synchronised")
    await until(world, "Synchronising", victim === ours ? lateMs : promptMs, isBack)
    const whole = world.wholeExchanges()
    await until(world, "The next connection", 8_000, () => world.wholeExchanges() > whole)
    world.checkDeliveries(1)
  }

  test.each(
    roles.flatMap((victim) =>
      [0, 700].flatMap((downMs) => [1, 1_500].map((pauseMs) => ({ victim, downMs, pauseMs }))),
    ),
  )(
    "the $victim may be killed at any byte and be away for $downMs ms, with a TCP client every $pauseMs ms: they find each other, and no byte strays",
    async ({ victim, downMs, pauseMs }) => {
      const options = { ...slow, originals: [theirs], ends: ours, pauseMs }
      const totals = await undisturbedBytes(options)
      for (const sender of roles) {
        for (let bytes = 0; bytes <= totals[sender]; bytes++) {
          const world = started(options)
          while (world.lines[sender].sentBytes < bytes) await world.clock.advanceAsync(1)
          try {
            await restart(world, victim, downMs)
          } catch (error) {
            throw new Error(`Killed after byte ${bytes} of the ${sender}.`, { cause: error })
          }
          end(world)
        }
      }
    },
  )
})
