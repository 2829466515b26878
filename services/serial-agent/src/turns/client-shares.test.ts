import { expect, test } from "vitest"
import { ClientShares } from "./client-shares.ts"

test("one client alone gets three quarters, others share the rest, and what is given back is free for anyone", () => {
  const shares = new ClientShares(100)
  const take = (client: string, amount: number) => {
    if (!shares.hasRoom(client, amount)) return false
    shares.take(client, amount)
    return true
  }
  expect([
    take("greedy", 75),
    take("greedy", 1),
    take("other", 20),
    take("third", 5),
    take("third", 1),
  ]).toEqual([true, false, true, true, false])
  shares.give("greedy", 30)
  expect([take("other", 30), take("greedy", 1)]).toEqual([true, false])
  for (const [client, amount] of [
    ["greedy", 45],
    ["other", 50],
    ["third", 5],
  ] as const)
    shares.give(client, amount)
  expect(take("last", 75)).toBe(true)
})
