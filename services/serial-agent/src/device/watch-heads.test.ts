import { createMemoryJournal } from "@serialcast/journal"
import { FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { watchHeads } from "./watch-heads.ts"

test("heads that moved are told every 10 s, heads that stand still are not, and nothing after the end", () => {
  const clock = new FakeClock()
  const journal = createMemoryJournal({ clock, createEpoch: () => "00000000000000aa" })
  let told = 0
  const watch = watchHeads(journal, clock, () => told++)
  journal.append("rx", Uint8Array.of(1))
  journal.append("tx", Uint8Array.of(2))
  clock.advance(9_999)
  expect(told).toBe(0)
  clock.advance(1)
  expect(told).toBe(1)
  clock.advance(60_000)
  expect(told).toBe(1)
  journal.append("rx", Uint8Array.of(3))
  watch[Symbol.dispose]()
  clock.advance(60_000)
  expect([told, clock.pendingTimers]).toEqual([1, 0])
})
