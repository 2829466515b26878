import { AppError, announceEveryMs, firstAnnounceMs, isMarkRecord, maxChunkBytes } from "@serialcast/contract"
import { createMemoryJournal } from "@serialcast/journal"
import { msSince } from "@serialcast/primitives"
import { checkCounting, countingBytes, FakeClock } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"

import { address, PlayedConnection } from "../testing/played-connection.ts"
import { startUplink } from "./uplink.ts"

function start({ isConnected = true, idleMs = null as number | null } = {}) {
  const clock = new FakeClock()
  const journal = createMemoryJournal({ clock, createEpoch: () => "00112233aabbccdd" })
  const connection = new PlayedConnection()
  connection.isConnected = isConnected
  const uplink = startUplink({ broker: connection, address, journal, idleMs, clock })
  onTestFinished(async () => {
    connection.cut()
    await uplink.stop()
  })
  let head = 0
  const append = (length: number) => {
    journal.append("rx", countingBytes(head, length))
    head += length
  }
  return { clock, journal, connection, uplink, append }
}

test("bytes after a silence are published at once, to services and to anyone", async () => {
  const { clock, connection, append } = start()
  await clock.advanceAsync(500)
  append(3)
  await clock.advanceAsync(0)
  expect(connection.shape()).toEqual(["0+3"])
  expect(connection.published[1]).toEqual({ topic: "serialcast/local/uno/rx", payload: countingBytes(0, 3) })
})

test.each([
  ["while it waited", 500],
  ["after it saw the loss", 20_000],
])("after a reconnect the head is told at once: %s", async (_when, awayMs) => {
  const { clock, connection, append } = start()
  append(7)
  await clock.advanceAsync(3_000)
  connection.cut()
  await clock.advanceAsync(awayMs)
  connection.connect()
  await clock.advanceAsync(1)
  expect(connection.shape()).toEqual(["0+7", "7+0", "7+0"])
})

test("what is written to the device goes to services only", async () => {
  const { clock, connection, journal } = start()
  journal.append("tx", Uint8Array.of(1))
  await clock.advanceAsync(5)
  expect(connection.shape("tx")).toEqual(["0+1"])
  expect(connection.published).toHaveLength(1)
})

test("what is written faster than a message at a time is told by its place, and what follows it by its bytes", async () => {
  const { clock, connection, journal } = start()
  for (let n = 0; n < 5; n++) journal.append("tx", new Uint8Array(20_000))
  await clock.advanceAsync(10)
  expect(connection.shape("tx")).toEqual(["100000+0"])
  journal.append("tx", Uint8Array.of(1))
  await clock.advanceAsync(10)
  expect(connection.shape("tx")).toEqual(["100000+0", "100000+1"])
})

test("what comes within two milliseconds of the last message goes together", async () => {
  const { clock, connection, append } = start()
  for (let n = 0; n < 4; n++) {
    append(10)
    await clock.advanceAsync(0.5)
  }
  await clock.advanceAsync(2)
  expect(connection.shape()).toEqual(["0+10", "10+30"])
})

test("short answers to what was written are published at once, however soon they follow; long ones are gathered", async () => {
  const { clock, connection, journal, append } = start()
  for (let n = 0; n < 3; n++) {
    journal.append("tx", Uint8Array.of(n))
    append(16)
    await clock.advanceAsync(0.5)
  }
  expect(connection.shape()).toEqual(["0+16", "16+16", "32+16"])
  journal.append("tx", Uint8Array.of(3))
  append(300)
  await clock.advanceAsync(0.5)
  append(16)
  await clock.advanceAsync(0.5)
  expect(connection.shape()).toEqual(["0+16", "16+16", "32+16", "48+300"])
})

test("behind a slow broker, messages are as large as they may be, and in order", async () => {
  const { clock, connection, append } = start()
  connection.hold()
  append(100)
  await clock.advanceAsync(0)
  for (let n = 0; n < 40; n++) append(4_000)
  await clock.advanceAsync(0)
  expect(connection.shape()).toEqual(["0+100"])
  connection.release()
  await clock.advanceAsync(10)
  expect(connection.shape()).toEqual(["0+100", `100+${maxChunkBytes}`, "60100+60000", "120100+40000"])
  for (const { record } of connection.messages())
    if (!isMarkRecord(record)) expect(checkCounting(record.bytes, record.offset)).toBeUndefined()
})

test("a backlog does not wait for more to come", async () => {
  const { clock, connection, append } = start()
  append(5 * maxChunkBytes)
  await clock.advanceAsync(0)
  expect(connection.shape()).toHaveLength(5)
})

test("marks keep their place between the bytes", async () => {
  const { clock, connection, journal, append } = start()
  journal.mark("rx", { kind: "opened", open: 1 })
  append(2)
  journal.mark("rx", { kind: "closed", reason: "test" })
  append(1)
  await clock.advanceAsync(0)
  expect(connection.shape()).toEqual(["opened", "0+2", "closed", "2+1"])
})

test("the head is announced 1 s after the last chunk and then every 10 s, whatever the other stream does", async () => {
  const { clock, connection, journal, append } = start()
  append(7)
  await clock.advanceAsync(2)
  const lastMs = clock.monotonicMs()
  const announcedMs: number[] = []
  for (let seen = 1; msSince(clock, lastMs) < 32_000; ) {
    journal.append("tx", Uint8Array.of(1))
    await clock.advanceAsync(100)
    const now = connection.shape()
    if (now.length > seen) announcedMs.push(msSince(clock, lastMs))
    seen = now.length
  }
  expect(connection.shape()).toEqual(["0+7", "7+0", "7+0", "7+0", "7+0"])
  const gaps = announcedMs.map((ms, n) => ms - (announcedMs[n - 1] ?? 0))
  for (const [n, gap] of gaps.entries()) {
    const expected = n === 0 ? firstAnnounceMs : announceEveryMs
    expect(gap).toBeGreaterThanOrEqual(expected)
    expect(gap).toBeLessThanOrEqual(expected + 200)
  }
  // Services are told; `rx` carries bytes only.
  expect(connection.published.filter(({ topic }) => topic.endsWith("/rx"))).toHaveLength(1)
})

test.each([
  [5, [6, 1_000, 11_000]],
  [2_500, [1_000, 2_501, 12_501]],
])(
  "where a silence of %i ms is waited for, the head is announced right after it too",
  async (idleMs, expected) => {
    const { clock, connection, append } = start({ idleMs })
    append(7)
    await clock.advanceAsync(0)
    const announcedMs: number[] = []
    for (let ms = 1; ms < 20_000; ms++) {
      const before = connection.shape().length
      await clock.advanceAsync(1)
      if (connection.shape().length > before) announcedMs.push(ms)
    }
    expect(announcedMs).toEqual(expected)
    const last = connection.shape().length
    append(1)
    await clock.advanceAsync(Math.min(idleMs + 1, 1_000))
    expect(connection.shape().slice(last)).toEqual(["7+1", "8+0"])
  },
)

test("an announced head does not take back the marks at it", async () => {
  const { clock, connection, journal } = start()
  journal.mark("rx", { kind: "opened", open: 1 })
  await clock.advanceAsync(1_100)
  expect(connection.shape()).toEqual(["opened", "0+0"])
  journal.mark("rx", { kind: "closed", reason: "test" })
  await clock.advanceAsync(1_100)
  expect(connection.shape()).toEqual(["opened", "0+0", "closed", "0+0"])
})

test("without a connection nothing is tried; with one, everything follows in order", async () => {
  const { clock, connection, append } = start({ isConnected: false })
  for (let n = 0; n < 10; n++) append(1_000)
  await clock.advanceAsync(60_000)
  expect(connection.attempts).toBe(0)
  connection.connect()
  await clock.advanceAsync(0)
  expect(connection.shape()).toEqual(["0+10000"])
})

test("after a cut it goes on with the message that was cut", async () => {
  const { clock, connection, append } = start()
  append(10)
  await clock.advanceAsync(5)
  connection.hold()
  append(10)
  await clock.advanceAsync(5)
  connection.cut()
  append(10)
  await clock.advanceAsync(1_000)
  connection.connect()
  await clock.advanceAsync(5)
  expect(connection.shape()).toEqual(["0+10", "10+10", "10+20"])
})

test.each([
  ["in the middle of a message", true],
  ["in a silence", false],
])(
  "after an outage with more than a mebibyte of lag it goes on at the head: cut %s",
  async (_when, isBusy) => {
    const { clock, connection, append } = start()
    append(10)
    await clock.advanceAsync(5)
    if (isBusy) {
      connection.hold()
      append(10)
      await clock.advanceAsync(5)
    }
    connection.cut()
    await clock.advanceAsync(100)
    for (let n = 0; n < 20; n++) append(maxChunkBytes)
    await clock.advanceAsync(100)
    connection.connect()
    await clock.advanceAsync(5)
    const head = 10 + (isBusy ? 10 : 0) + 20 * maxChunkBytes
    append(1)
    await clock.advanceAsync(5)
    expect(connection.shape().at(-1)).toBe(`${head}+1`)
    // With what was cut and the head, which is told at once.
    expect(connection.shape().length).toBeLessThanOrEqual(4)
  },
)

test("bytes that the journal dropped before their turn are left out, the rest follows", async () => {
  const { clock, connection, journal, append } = start()
  connection.hold()
  append(10)
  await clock.advanceAsync(0)
  while (journal.extent("rx").oldest < 1_000_000) append(maxChunkBytes)
  connection.release()
  const { oldest } = journal.extent("rx")
  await clock.advanceAsync(0)
  expect(connection.shape()[1]).toBe(`${oldest}+${maxChunkBytes}`)
})

test("a full connection is given time: no turn of the loop is spent on trying", async () => {
  const { clock, connection, append } = start()
  connection.refusal = new AppError("overloaded", "full")
  append(10)
  await clock.advanceAsync(0)
  expect(connection.attempts).toBe(1)
  await clock.advanceAsync(200)
  expect(connection.attempts).toBeLessThan(15)
  connection.refusal = null
  await clock.advanceAsync(50)
  expect(connection.shape()).toEqual(["0+10"])
})

test("a connection that refuses though it seems to stand is given time too", async () => {
  const { clock, connection, append } = start()
  connection.refusal = new AppError("broker_offline", "ending")
  append(10)
  await clock.advanceAsync(200)
  expect(connection.attempts).toBeLessThan(15)
})

test("stopping publishes what is there first", async () => {
  const { clock, connection, journal, uplink, append } = start()
  append(10)
  await clock.advanceAsync(0)
  append(3 * maxChunkBytes)
  journal.mark("rx", { kind: "closed", reason: "test" })
  journal.mark("tx", { kind: "refused", id: "a", by: "me", code: "expired", bytes: 0 })
  await uplink.stop()
  expect(connection.shape()).toEqual(["0+10", "10+60000", "60010+60000", "120010+60000", "closed"])
  expect(connection.shape("tx")).toEqual(["refused"])
})

test.each([
  ["idle", () => {}],
  ["without a connection", (connection: PlayedConnection) => connection.cut()],
  [
    "and the connection refuses",
    (connection: PlayedConnection) => {
      connection.refusal = new AppError("overloaded", "full")
    },
  ],
])("stopping is over at once when it is %s", async (_name, prepare) => {
  const { clock, connection, uplink, append } = start()
  await clock.advanceAsync(0)
  prepare(connection)
  append(10)
  await uplink.stop()
})

test("stopping waits one second for a broker that takes nothing", async () => {
  const { clock, connection, uplink, append } = start()
  connection.hold()
  append(10)
  await clock.advanceAsync(0)
  let isStopped = false
  const stopped = uplink.stop().then(() => {
    isStopped = true
  })
  await clock.advanceAsync(999)
  expect(isStopped).toBe(false)
  await clock.advanceAsync(1)
  await stopped
})
