import { msSince } from "@serialcast/primitives"
import { describe, expect, test } from "vitest"
import type { Role } from "./codes.ts"
import { TestWorld, type TestWorldOptions } from "./testing/test-world.ts"

/** A byte each millisecond, so that the cable can be cut at every one of them. */
const slow: TestWorldOptions = {
  pieceMs: 1,
  pieceBytes: 1,
  latencyMs: 3,
  payloadBytes: 30,
  ends: "server",
  graceMs: 40,
}

function started(options: Partial<TestWorldOptions> = {}): TestWorld {
  const world = new TestWorld({ ...slow, ...options })
  world.start("server")
  world.start("client")
  return world
}

/** Kills `victim`, starts it again, and checks that everything goes on as it should. */
function restart(
  world: TestWorld,
  victim: Role,
  { downMs, kept }: { downMs: number; kept: "all" | "none" },
): void {
  world.kill(victim, kept)
  world.clock.advance(downMs)
  world.start(victim)
  const upMs = world.clock.monotonicMs()
  const seen = { server: world.core("server").reports.length, client: world.core("client").reports.length }
  const isBack = (role: Role) =>
    world
      .core(role)
      .reports.slice(seen[role])
      .some(({ kind }) => kind === "synchronised")
  while (!isBack("server") || !isBack("client")) {
    world.clock.advance(10)
    if (msSince(world.clock, upMs) > 2_000) throw new Error("The ends did not find each other within 2 s.")
  }
  const whole = world.wholeExchanges()
  world.clock.advance(2_000)
  world.checkDeliveries(1)
  if (world.wholeExchanges() <= whole) throw new Error("No connection came through after the restart.")
}

/** Of each line, until two connections have been made. */
function undisturbedBytes(options: Partial<TestWorldOptions>): Record<Role, number> {
  const world = started(options)
  while (world.wholeExchanges() < 2) world.clock.advance(1)
  return { server: world.lines.server.sentBytes, client: world.lines.client.sentBytes }
}

describe.each(["server", "client"] as const)("a %s that is killed and started again", (victim) => {
  describe.each(["server", "client"] as const)("at any byte that the %s has sent", (sender) => {
    test.each([
      [0, "all", 0],
      [7, "none", 1],
      [700, "all", 1],
      [30_000, "none", 0],
    ] as const)(
      "and stays away for %d ms (the cable keeps %s of its last bytes) is found within 2 s, and no byte strays",
      (downMs, kept, first) => {
        const sides = ["server", "client"] as const
        const totals = {
          server: undisturbedBytes({ ends: "server" }),
          client: undisturbedBytes({ ends: "client" }),
        }
        for (let bytes = 0; bytes <= Math.max(totals.server[sender], totals.client[sender]); bytes++) {
          // Over the four rows every byte has its turn with either side ending the connections.
          const ends = sides[(bytes + first) % 2] ?? "server"
          const world = started({ ends })
          while (world.lines[sender].sentBytes < bytes) world.clock.advance(1)
          try {
            restart(world, victim, { downMs, kept })
          } catch (error) {
            throw new Error(`Killed after byte ${bytes}, ${ends}s end.`, { cause: error })
          }
        }
      },
    )
  })

  test("in the silences between bytes", () => {
    for (let ms = 0; ms < 400; ms += 3) {
      const world = started()
      world.clock.advance(ms)
      try {
        restart(world, victim, { downMs: 13, kept: "all" })
      } catch (error) {
        throw new Error(`Killed after ${ms} ms.`, { cause: error })
      }
    }
  })

  test("while the target refuses", () => {
    for (let ms = 0; ms < 400; ms += 3) {
      const world = started({ isTargetUp: false })
      world.clock.advance(ms)
      world.isTargetUp = true
      restart(world, victim, { downMs: 13, kept: "none" })
    }
  })
})

test.each(["server", "client"] as const)(
  "a %s that waited for an hour answers the other one at once",
  (first) => {
    const world = new TestWorld(slow)
    world.start(first)
    world.clock.advance(3_600_000)
    world.start(first === "server" ? "client" : "server")
    world.clock.advance(100)
    expect([world.core("server").end.phase, world.core("client").end.phase]).not.toContain("syncing")
  },
)
