import { formatCursor, maxWriteBytes, type Receipt } from "@serialcast/contract"
import { concatBytes, createDeferred, type Deferred } from "@serialcast/primitives"
import { FakeClock, seededRandom } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { createMemoryJournal } from "../journal/memory-journal.ts"
import type { OpenPort } from "../port/port-driver.ts"
import { maxQueuedBytes, WriteQueue } from "./write-queue.ts"

const epoch = "00112233aabbccdd"

/** A port that records what it gets, and takes it when it is told to. */
class RecordingPort implements OpenPort {
  readonly slices: Uint8Array[] = []
  isClosed = false
  drains = 0
  #gate: Deferred<void> | null = null

  get bytes(): Uint8Array {
    return concatBytes(this.slices)
  }

  async write(bytes: Uint8Array): Promise<void> {
    // A real one would keep a view as well, until the kernel has it.
    await this.#gate?.promise
    if (this.isClosed) throw new Error("the port is closed")
    this.slices.push(bytes.slice())
  }

  async drain(): Promise<void> {
    await this.#gate?.promise
    this.drains++
  }

  async close(): Promise<void> {
    this.isClosed = true
    this.release()
  }

  hold(): void {
    this.#gate ??= createDeferred()
  }

  release(): void {
    this.#gate?.resolve()
    this.#gate = null
  }
}

function start() {
  const clock = new FakeClock()
  const journal = createMemoryJournal({ clock, createEpoch: () => epoch })
  const queue = new WriteQueue({ journal, clock, byteMs: 0.1 })
  const port = new RecordingPort()
  queue.attach(port, 1)
  let ids = 0
  const submit = (bytes: Uint8Array, options: { id?: string; ttlMs?: number; open?: number } = {}) => {
    const id = options.id ?? `w${ids++}`
    return queue.submit({ id, key: id, by: "me", bytes, ...options })
  }
  const marks = () =>
    journal
      .page("tx", { kind: "start" }, 60_000)
      .records.flatMap((record) => ("mark" in record ? [record.mark] : []))
  return { clock, journal, queue, port, submit, marks }
}

const refused = (code: string) => expect.objectContaining({ code })
const errorOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  )
const tick = () => new Promise(setImmediate)

test("a receipt says what was written, where it stands in the tx stream, and when it was drained", async () => {
  const { clock, port, submit, journal } = start()
  await submit(Uint8Array.of(9))
  const bytes = seededRandom(1).bytes(100_000)
  expect(await submit(bytes)).toEqual({
    bytes: 100_000,
    from: formatCursor({ epoch, offset: 1, mark: 0 }),
    to: formatCursor({ epoch, offset: 100_001, mark: 0 }),
    drainedUs: clock.nowUs(),
  } satisfies Receipt)
  expect(Buffer.compare(port.bytes.subarray(1), bytes)).toBe(0)
  expect(port.drains).toBe(2)
  expect(journal.extent("tx")).toEqual({ oldest: 0, head: 100_001 })
})

test("there is no receipt before the drain", async () => {
  const { port, submit } = start()
  let isDone = false
  const drain = port.drain.bind(port)
  const drained = createDeferred<void>()
  port.drain = async () => {
    await drained.promise
    await drain()
  }
  const receipt = submit(Uint8Array.of(1)).then(() => {
    isDone = true
  })
  await tick()
  expect(port.bytes).toEqual(Uint8Array.of(1))
  expect(isDone).toBe(false)
  drained.resolve()
  await receipt
})

test("an empty write gets a receipt", async () => {
  expect(await start().submit(new Uint8Array(0))).toMatchObject({ bytes: 0 })
})

test("however many write at the same time, the port gets each write whole and in order", async () => {
  const random = seededRandom()
  const { port, submit, queue } = start()
  const write = port.write.bind(port)
  port.write = async (bytes) => {
    for (let turns = Math.floor(random.next() * 3); turns > 0; turns--) await tick()
    await write(bytes)
  }
  // Byte n of write w is w: a foreign byte in the middle of a write shows.
  const sizes = Array.from({ length: 120 }, () => Math.floor(random.next() ** 3 * 60_000))
  const receipts: Promise<Receipt>[] = []
  for (const [n, size] of sizes.entries()) {
    receipts.push(submit(new Uint8Array(size).fill(n)))
    if (random.next() < 0.3) await tick()
  }
  const done = await Promise.all(receipts)
  expect(done.map(({ bytes }) => bytes)).toEqual(sizes)
  const expected = concatBytes(sizes.map((size, n) => new Uint8Array(size).fill(n)))
  expect(Buffer.compare(port.bytes, expected), `seed ${random.seed}`).toBe(0)
  expect(await queue.find("w5")).toEqual(done[5])
})

test("a repeated id is answered as before and written once", async () => {
  const { port, submit } = start()
  port.hold()
  const first = submit(Uint8Array.of(1), { id: "same" })
  const second = submit(Uint8Array.of(2), { id: "same" })
  port.release()
  expect(await second).toEqual(await first)
  expect(await submit(Uint8Array.of(3), { id: "same" })).toEqual(await first)
  expect(port.bytes).toEqual(Uint8Array.of(1))
})

test("an id is not forgotten while its write waits, however many come after it", async () => {
  const { port, submit } = start()
  port.hold()
  const writes = Array.from({ length: 3_000 }, (_, n) => submit(Uint8Array.of(n), { id: `${n}` }))
  const again = submit(Uint8Array.of(0), { id: "1" })
  port.release()
  await Promise.all([...writes, again])
  expect(port.bytes.byteLength).toBe(3_000)
})

test("a call is not forgotten for writes that nobody repeats, nor for some thousand that somebody might", async () => {
  const { queue, port, submit } = start()
  await submit(Uint8Array.of(1), { id: "a" })
  for (let n = 0; n < 5_000; n++) await queue.submit({ id: `${n}`, by: "mqtt", bytes: new Uint8Array(0) })
  for (let n = 0; n < 4_095; n++) await submit(new Uint8Array(0), { id: `call ${n}` })
  await submit(Uint8Array.of(1), { id: "a" })
  expect(port.bytes).toEqual(Uint8Array.of(1))
  expect(queue.find("4999")).toBeUndefined()
})

test("a write that did not come whole before the port closed is refused, and so is each repeat", async () => {
  const { queue, submit, marks, port } = start()
  queue.expire({ id: "a", key: "a", by: "me", bytes: new Uint8Array(0) })
  await expect(submit(Uint8Array.of(1), { id: "a" })).rejects.toEqual(refused("expired"))
  expect(marks()).toMatchObject([{ kind: "refused", id: "a", code: "expired", bytes: 0 }])
  expect(port.slices).toEqual([])
})

test("what is kept of a write is a copy: it does not keep the network's buffer in memory", async () => {
  const { journal, submit } = start()
  const network = new Uint8Array(64 * 1024)
  await submit(network.subarray(0, 2))
  network.fill(9)
  const [record] = journal.page("tx", { kind: "start" }, 10).records
  expect(record).toMatchObject({ bytes: Uint8Array.of(0, 0) })
  expect(record).toHaveProperty("bytes.buffer.byteLength", 2)
})

test("a refused id stays refused", async () => {
  const { queue, port, submit } = start()
  queue.detach()
  await expect(submit(Uint8Array.of(1), { id: "a" })).rejects.toEqual(refused("device_offline"))
  queue.attach(port, 2)
  await expect(submit(Uint8Array.of(1), { id: "a" })).rejects.toEqual(refused("device_offline"))
  expect(port.slices).toEqual([])
})

test("without a port a write is refused, with a mark", async () => {
  const { queue, submit, marks } = start()
  queue.detach()
  await expect(submit(Uint8Array.of(1))).rejects.toEqual(refused("device_offline"))
  expect(marks()).toEqual([{ n: 0, kind: "refused", id: "w0", by: "me", code: "device_offline", bytes: 0 }])
})

test("a write meant for another open of the port is refused", async () => {
  const { submit, port } = start()
  await expect(submit(Uint8Array.of(1), { open: 2 })).rejects.toEqual(refused("expired"))
  await submit(Uint8Array.of(2), { open: 1 })
  expect(port.bytes).toEqual(Uint8Array.of(2))
})

test("a write that waits longer than its time to live is refused at that moment, the others go on", async () => {
  const { clock, port, submit, marks } = start()
  port.hold()
  const inProgress = submit(Uint8Array.of(1), { ttlMs: 10 })
  const short = submit(Uint8Array.of(2), { ttlMs: 1_000 })
  const long = submit(Uint8Array.of(3))
  let answer: unknown
  short.catch((error: unknown) => {
    answer = error
  })
  await clock.advanceAsync(999)
  expect(answer).toBeUndefined()
  await clock.advanceAsync(1)
  await tick()
  expect(answer).toEqual(refused("expired"))
  expect(marks()).toMatchObject([{ kind: "refused", id: "w1", code: "expired", bytes: 0 }])
  port.release()
  await Promise.all([inProgress, long])
  expect(port.bytes).toEqual(Uint8Array.of(1, 3))
  expect(clock.pendingTimers).toBe(0)
})

test("a write waits 30 s when it does not say how long", async () => {
  const { clock, port, submit } = start()
  port.hold()
  void submit(Uint8Array.of(1))
  const waiting = errorOf(submit(Uint8Array.of(2)))
  await clock.advanceAsync(29_999)
  await clock.advanceAsync(1)
  expect(await waiting).toEqual(refused("expired"))
  port.release()
})

test("the queue is bounded in bytes, the write in progress included, and opens again", async () => {
  const { port, submit } = start()
  port.hold()
  const big = new Uint8Array(maxWriteBytes - 1024)
  const held = [submit(big), submit(big)]
  await expect(submit(new Uint8Array(2_048))).rejects.toEqual(refused("overloaded"))
  held.push(submit(new Uint8Array(10)))
  port.release()
  await Promise.all(held)
  await submit(new Uint8Array(2_048))
})

test("the queue is bounded for writes without bytes too", async () => {
  const { port, submit } = start()
  port.hold()
  const outcomes = Array.from({ length: maxQueuedBytes / 256 }, () => submit(new Uint8Array(0)))
  await expect(outcomes.at(-1)).rejects.toEqual(refused("overloaded"))
  port.release()
  await outcomes[0]
})

test("a write above the limit is refused, with a mark", async () => {
  const { submit, marks } = start()
  await expect(submit(new Uint8Array(maxWriteBytes + 1))).rejects.toEqual(refused("too_large"))
  expect(marks()).toMatchObject([{ code: "too_large", bytes: 0 }])
})

test("a write that the unplug cuts is aborted and counted; what waits is expired; the replug gets nothing of it", async () => {
  const { queue, port, submit, marks, journal } = start()
  const write = port.write.bind(port)
  port.write = async (bytes) => {
    if (port.slices.length === 3) port.isClosed = true
    await write(bytes)
  }
  const cut = submit(new Uint8Array(100_000), { id: "cut" })
  const waiting = submit(Uint8Array.of(1), { id: "waiting" })
  await expect(cut).rejects.toEqual(
    expect.objectContaining({
      code: "aborted",
      message: "At least 49152 of 100000 bytes were written: the port is closed.",
    }),
  )
  await expect(waiting).rejects.toEqual(refused("expired"))
  expect(marks()).toMatchObject([
    { id: "cut", code: "aborted", bytes: 49_152 },
    { id: "waiting", code: "expired", bytes: 0 },
  ])
  expect(journal.extent("tx").head).toBe(49_152)
  queue.detach()

  const replugged = new RecordingPort()
  queue.attach(replugged, 2)
  await submit(Uint8Array.of(2))
  expect(replugged.bytes).toEqual(Uint8Array.of(2))
})

test("detaching refuses what waits at once, while the write in progress is still cut", async () => {
  const { queue, port, submit } = start()
  port.hold()
  const inProgress = errorOf(submit(Uint8Array.of(1)))
  const waiting = submit(Uint8Array.of(2))
  queue.detach()
  await expect(waiting).rejects.toEqual(refused("expired"))

  const replugged = new RecordingPort()
  queue.attach(replugged, 2)
  const next = submit(Uint8Array.of(3), { open: 2 })
  await port.close()
  expect(await inProgress).toEqual(refused("aborted"))
  await next
  expect(replugged.bytes).toEqual(Uint8Array.of(3))
  expect(replugged.isClosed).toBe(false)
})

test("a port that takes nothing for a minute is closed", async () => {
  const { clock, port, submit } = start()
  port.hold()
  const stuck = errorOf(submit(new Uint8Array(1_000)))
  // The deadline leaves twice the time that the bytes need on the wire.
  await clock.advanceAsync(60_199)
  expect(port.isClosed).toBe(false)
  await clock.advanceAsync(1)
  expect(await stuck).toMatchObject({
    code: "aborted",
    message: "At least 0 of 1000 bytes were written: the port took no bytes for 60 s.",
  })
  expect(port.isClosed).toBe(true)
  expect(clock.pendingTimers).toBe(0)
})
