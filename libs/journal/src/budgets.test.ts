import { randomUUID } from "node:crypto"
import { isMarkRecord } from "@serialcast/contract"
import { countingBytes, FakeClock } from "@serialcast/testkit"
import { describe, expect, test } from "vitest"
import { append, createFolder, openTestJournal, readThrough, sizeOfFolder } from "./testing/test-journal.ts"

const mebibyte = 1024 * 1024
const said = 3_000_000
const by = "http:127.0.0.1"

describe("what is written to a device takes no room from what it said", () => {
  test("200,000 writes to a closed port are counted, and cost next to nothing", async () => {
    const dir = await createFolder()
    const clock = new FakeClock()
    const journal = await openTestJournal({ dir, clock, maxBytes: 4 * mebibyte })
    await append(journal, said)
    await journal.flushed()
    const before = await sizeOfFolder(dir)
    const writes = 200_000
    for (let n = 0; n < writes; n++) {
      journal.mark("tx", { kind: "refused", client: "web", id: `${n}`, by, bytes: 0, code: "device_offline" })
      if (n % 1_000 === 0) await clock.advanceAsync(100)
    }
    await clock.advanceAsync(10_000)
    await journal.flushed()
    expect((await sizeOfFolder(dir)) - before).toBeLessThan(20_000)
    expect(journal.extent("rx").oldest).toBe(0)
    expect(journal.counts.refusals.get("device_offline")).toBe(writes)
    const { records } = await journal.page("tx", { kind: "start" }, 60_000)
    const counted = records.flatMap((record) =>
      isMarkRecord(record) && record.mark.kind === "refused" ? [record.mark.count ?? 1] : [],
    )
    expect(counted.reduce((sum, count) => sum + count, 0)).toBe(writes)
    expect(counted.length).toBeLessThan(40)
  })

  test("refusals that are not alike, and of writes that were begun, are each told", async () => {
    const journal = await openTestJournal({ dir: await createFolder() })
    for (let n = 0; n < 40; n++) {
      const named = { kind: "refused", client: "web", id: `${n}`, by: `user:${n % 4}` } as const
      journal.mark("tx", { ...named, bytes: n % 2, code: n % 2 === 0 ? "expired" : "aborted" })
    }
    await journal.settled()
    expect((await journal.page("tx", { kind: "start" }, 60_000)).records).toHaveLength(20 + 2 * 8)
    await journal.close()
  })

  test("a flood of writes that are done costs its own oldest, and none of the device's", async () => {
    const dir = await createFolder()
    const journal = await openTestJournal({ dir, maxBytes: 4 * mebibyte })
    await append(journal, said)
    for (let n = 0; n < 60_000; n++) {
      const write = { client: "web", id: randomUUID(), by, bytes: 1 }
      journal.mark("tx", { kind: "started", ...write })
      journal.append("tx", countingBytes(n, 1))
      journal.mark("tx", { kind: "drained", ...write })
      if (n % 1_000 === 0) await journal.flushed()
    }
    await journal.flushed()
    expect(journal.extent("rx").oldest).toBe(0)
    expect(journal.extent("tx").oldest).toBeGreaterThan(10_000)
    expect(await sizeOfFolder(dir)).toBeLessThanOrEqual(4 * mebibyte + 4_096)
    expect((await readThrough(journal)).runs).toEqual([`0-${said}`])
  }, 60_000)
})

test("a poll of eight bytes and its answer take 120 bytes on disk beside their own", async () => {
  const dir = await createFolder()
  const clock = new FakeClock()
  const journal = await openTestJournal({ dir, clock })
  const polls = 20_000
  for (let n = 0; n < polls; n++) {
    const write = { client: "http-gateway-4f2a9c1d", id: randomUUID(), by: "token:poller", bytes: 8 }
    journal.mark("tx", { kind: "started", ...write })
    journal.append("tx", countingBytes(8 * n, 8))
    clock.advance(1)
    journal.mark("tx", { kind: "drained", ...write })
    journal.append("rx", countingBytes(24 * n, 24))
    clock.advance(39)
    if (n % 500 === 0) await journal.flushed()
  }
  await journal.close()
  expect((await sizeOfFolder(dir)) / polls - 32).toBeLessThan(120)
})
