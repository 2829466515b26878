import { formatCursor, maxChunkBytes, type StartPoint } from "@serialcast/contract"
import { FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { createMemoryJournal } from "./memory-journal.ts"

const epoch = "00112233aabbccdd"
const capacityBytes = 16 * 1024 * 1024
const at = (offset: number) => formatCursor({ epoch, offset, mark: 0 })
const cursor = (offset: number): StartPoint => ({ kind: "cursor", cursor: { epoch, offset, mark: 0 } })

test("what was dropped is a gap of its exact size", async () => {
  const journal = createMemoryJournal({ clock: new FakeClock(), createEpoch: () => epoch })
  const block = new Uint8Array(maxChunkBytes)
  while (journal.extent("rx").oldest === 0) journal.append("rx", block)
  const { oldest, head } = journal.extent("rx")
  expect(head - oldest).toBeGreaterThan(capacityBytes * 0.9)
  expect(head - oldest).toBeLessThanOrEqual(capacityBytes)
  const page = await journal.page("rx", cursor(100), 10)
  expect(page.gap).toEqual({ from: at(100), to: at(oldest), bytes: oldest - 100, reason: "evicted" })
  expect([page.first, page.next]).toEqual([at(oldest), at(oldest + 10)])
  expect((await journal.page("rx", cursor(oldest), 10)).gap).toBeNull()
  const last = await journal.page("rx", { kind: "last", bytes: head }, 10)
  expect(last).toMatchObject({ gap: null, first: at(oldest) })
})
