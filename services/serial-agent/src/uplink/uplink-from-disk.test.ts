import { join } from "node:path"
import { isMarkRecord } from "@serialcast/contract"
import { countingBytes, createTemporaryFolder, FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { openTestJournal } from "../testing/disk-journal.ts"
import { address, PlayedConnection } from "../testing/played-connection.ts"
import { startUplink } from "./uplink.ts"

test("what an earlier process kept is not published again", async () => {
  using folder = createTemporaryFolder()
  const dir = folder.path
  const before = await openTestJournal({ dir })
  before.append("rx", countingBytes(0, 100))
  await before.close()
  const journal = await openTestJournal({ dir })
  const connection = new PlayedConnection()
  const uplink = startUplink({
    broker: connection,
    address,
    journal,
    idleMs: null,
    clock: new FakeClock(),
  })
  journal.append("rx", countingBytes(100, 5))
  await journal.settled()
  await uplink.stop()
  expect(connection.shape()).toEqual(["100+5"])
})

test("what an earlier process showed, and was killed before it was on disk, is not published again", async () => {
  using folder = createTemporaryFolder()
  const place = { dir: join(folder.path, "journal"), stage: join(folder.path, "stage") }
  const killed = await openTestJournal(place)
  killed.append("rx", countingBytes(0, 100))
  const journal = await openTestJournal(place)
  const connection = new PlayedConnection()
  const uplink = startUplink({
    broker: connection,
    address,
    journal,
    idleMs: null,
    clock: new FakeClock(),
  })
  journal.append("rx", countingBytes(100, 5))
  await uplink.stop()
  expect(connection.shape()).toEqual(["100+5"])
  // Nothing is written to the folder any more when it is removed.
  await Promise.all([killed, journal].map((each) => each.flushed()))
})

test("a burst of some mebibytes, faster than messages, is published whole", async () => {
  using folder = createTemporaryFolder()
  const journal = await openTestJournal({ dir: folder.path })
  const connection = new PlayedConnection()
  const uplink = startUplink({
    broker: connection,
    address,
    journal,
    idleMs: null,
    clock: new FakeClock(),
  })
  connection.hold()
  const burst = 6 * 1024 * 1024
  for (let at = 0; at < burst; at += 4_096) {
    journal.append("rx", countingBytes(at, 4_096))
    // The disk keeps up.
    if (at % (512 * 1024) === 0) await journal.flushed()
  }
  connection.release()
  await journal.flushed()
  await uplink.stop()
  let head = 0
  for (const { record } of connection.messages()) {
    if (isMarkRecord(record)) continue
    expect(record.offset).toBe(head)
    head += record.bytes.byteLength
  }
  expect(head).toBe(burst)
})
