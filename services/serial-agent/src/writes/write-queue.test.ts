import { AppError, maxWriteBytes, type Receipt } from "@serialcast/contract"
import type { RememberedWrite } from "@serialcast/journal"
import { concatBytes } from "@serialcast/primitives"
import { clockTroubles, seededRandom } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { RecordingPort } from "../testing/recording-port.ts"
import { epoch, errorOf, refused, startWrites, tick } from "../testing/start-writes.ts"
import { maxQueuedBytes } from "../turns/turn-queue.ts"

test("however many write at the same time, the port gets each write whole and in order", async () => {
  const random = seededRandom()
  const { port, submit, queue } = startWrites()
  const write = port.write.bind(port)
  port.write = async (bytes, signal) => {
    for (let turns = Math.floor(random.next() * 3); turns > 0; turns--) await tick()
    return await write(bytes, signal)
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
  expect(await queue.find("me", "w5")).toEqual(done[5])
})

test("a repeated id is answered as before and written once", async () => {
  const { port, submit } = startWrites()
  port.hold()
  const first = submit(Uint8Array.of(1), { id: "same" })
  const second = submit(Uint8Array.of(2), { id: "same" })
  port.release()
  expect(await second).toEqual(await first)
  expect(await submit(Uint8Array.of(3), { id: "same" })).toEqual(await first)
  expect(port.bytes).toEqual(Uint8Array.of(1))
})

test("an id is not forgotten while its write waits, however many come after it", async () => {
  const { port, submit } = startWrites()
  port.hold()
  const writes = Array.from({ length: 3_000 }, (_, n) => submit(Uint8Array.of(n), { id: `${n}` }))
  const again = submit(Uint8Array.of(0), { id: "1" })
  port.release()
  await Promise.all([...writes, again])
  expect(port.bytes.byteLength).toBe(3_000)
})

test("a call is not forgotten for writes that nobody repeats, nor for some thousand that somebody might", async () => {
  const { queue, port, submit } = startWrites()
  await submit(Uint8Array.of(1), { id: "a" })
  for (let n = 0; n < 5_000; n++) await queue.submit({ id: `${n}`, by: "mqtt", bytes: new Uint8Array(0) })
  for (let n = 0; n < 4_095; n++) await submit(new Uint8Array(0), { id: `call ${n}` })
  await submit(Uint8Array.of(1), { id: "a" })
  expect(port.bytes).toEqual(Uint8Array.of(1))
  expect(queue.find("me", "4999")).toBeUndefined()
})

test("a write that did not come whole before the port closed is refused, and so is each repeat", async () => {
  const { queue, submit, marks, port } = startWrites()
  const error = new AppError("expired", "Gone.")
  await expect(queue.refuse({ id: "a", client: "me", by: "me" }, error)).rejects.toBe(error)
  await expect(submit(Uint8Array.of(1), { id: "a" })).rejects.toEqual(refused("expired"))
  expect(await marks()).toMatchObject([{ kind: "refused", id: "a", code: "expired", bytes: 0 }])
  expect(port.slices).toEqual([])
})

test("what is kept of a write is a copy: it does not keep the network's buffer in memory", async () => {
  const { journal, submit } = startWrites()
  const network = new Uint8Array(64 * 1024)
  await submit(network.subarray(0, 2))
  network.fill(9)
  const { records } = await journal.page("tx", { kind: "start" }, 1_000)
  const record = records.find((each) => "bytes" in each)
  expect(record).toMatchObject({ bytes: Uint8Array.of(0, 0) })
  expect(record).toHaveProperty("bytes.buffer.byteLength", 2)
})

test("a refused id stays refused", async () => {
  const { turns, port, submit } = startWrites()
  turns.detach()
  await expect(submit(Uint8Array.of(1), { id: "a" })).rejects.toEqual(refused("device_offline"))
  turns.attach(port, 2)
  await expect(submit(Uint8Array.of(1), { id: "a" })).rejects.toEqual(refused("device_offline"))
  expect(port.slices).toEqual([])
})

test("without a port a write is refused, with a mark", async () => {
  const { turns, submit, marks } = startWrites()
  turns.detach()
  await expect(submit(Uint8Array.of(1))).rejects.toEqual(refused("device_offline"))
  const named = { client: "me", id: "w0", by: "user" }
  expect(await marks()).toEqual([{ n: 0, kind: "refused", ...named, code: "device_offline", bytes: 0 }])
})

test("a write meant for another open of the port is refused", async () => {
  const { submit, port } = startWrites()
  await expect(submit(Uint8Array.of(1), { open: 2 })).rejects.toEqual(refused("expired"))
  await submit(Uint8Array.of(2), { open: 1 })
  expect(port.bytes).toEqual(Uint8Array.of(2))
})

test("a write that waits longer than its time to live is refused at that moment, the others go on", async () => {
  const { clock, port, submit, refusals } = startWrites()
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
  expect(await refusals()).toMatchObject([{ kind: "refused", id: "w1", code: "expired", bytes: 0 }])
  port.release()
  await Promise.all([inProgress, long])
  expect(port.bytes).toEqual(Uint8Array.of(1, 3))
  expect(clock.pendingTimers).toBe(0)
})

test.each(clockTroubles)(
  "on a machine %s a write that waits is refused at its time",
  async (_title, befall) => {
    const { clock, port, submit } = startWrites()
    port.hold()
    const inProgress = submit(Uint8Array.of(1))
    const answers: unknown[] = []
    const waits = (write: Promise<unknown>) => void write.catch((error: unknown) => answers.push(error))
    waits(submit(Uint8Array.of(2), { ttlMs: 1_000 }))
    // It comes before its turn, and waits twice: for the one before it, and then for the port.
    waits(submit(Uint8Array.of(4), { ttlMs: 1_000, session: "s", seq: 1 }))
    await clock.advanceAsync(500)
    befall(clock)
    waits(submit(Uint8Array.of(3), { ttlMs: 2_000, session: "s", seq: 0 }))
    await clock.advanceAsync(499)
    expect(answers).toEqual([])
    await clock.advanceAsync(1)
    await tick()
    expect(answers).toEqual([refused("expired"), refused("expired")])
    port.release()
    await inProgress
  },
)

test("a write waits 30 s when it does not say how long", async () => {
  const { clock, port, submit } = startWrites()
  port.hold()
  void submit(Uint8Array.of(1))
  const waiting = errorOf(submit(Uint8Array.of(2)))
  await clock.advanceAsync(29_999)
  await clock.advanceAsync(1)
  expect(await waiting).toEqual(refused("expired"))
  port.release()
})

test("the queue is bounded in bytes, of one client more closely, the write in progress included, and opens again", async () => {
  const { port, submit } = startWrites()
  port.hold()
  const big = new Uint8Array(maxWriteBytes - 1024)
  const held = [submit(big)]
  await expect(submit(big)).rejects.toEqual(refused("overloaded"))
  held.push(submit(big, { client: "other" }))
  await expect(submit(new Uint8Array(2_048))).rejects.toEqual(refused("overloaded"))
  held.push(submit(new Uint8Array(10)))
  port.release()
  await Promise.all(held)
  await submit(new Uint8Array(2_048))
})

test("the queue is bounded for writes without bytes too", async () => {
  const { port, submit } = startWrites()
  port.hold()
  const outcomes = Array.from({ length: maxQueuedBytes / 256 }, () => submit(new Uint8Array(0)))
  await expect(outcomes.at(-1)).rejects.toEqual(refused("overloaded"))
  port.release()
  await outcomes[0]
})

test("a write above the limit is refused, with a mark", async () => {
  const { submit, marks } = startWrites()
  await expect(submit(new Uint8Array(maxWriteBytes + 1))).rejects.toEqual(refused("too_large"))
  expect(await marks()).toMatchObject([{ code: "too_large", bytes: 0 }])
})

test("a write that the unplug cuts is aborted and counted; what waits is expired; the replug gets nothing of it", async () => {
  const { turns, port, submit, refusals, journal } = startWrites()
  const write = port.write.bind(port)
  port.write = async (bytes, signal) => {
    if (port.slices.length === 3) port.isClosed = true
    return await write(bytes, signal)
  }
  const cut = submit(new Uint8Array(100_000), { id: "cut" })
  const waiting = submit(Uint8Array.of(1), { id: "waiting" })
  await expect(cut).rejects.toEqual(
    expect.objectContaining({
      code: "aborted",
      message: "At least 7500 of 100000 bytes were written: the port is closed.",
    }),
  )
  await expect(waiting).rejects.toEqual(refused("expired"))
  expect(await refusals()).toMatchObject([
    { id: "cut", code: "aborted", bytes: 7_500 },
    { id: "waiting", code: "expired", bytes: 0 },
  ])
  expect(journal.extent("tx").head).toBe(7_500)
  turns.detach()

  const replugged = new RecordingPort()
  turns.attach(replugged, 2)
  await submit(Uint8Array.of(2))
  expect(replugged.bytes).toEqual(Uint8Array.of(2))
})

test("detaching refuses what waits at once, while the write in progress is still cut", async () => {
  const { turns, port, submit } = startWrites()
  port.hold()
  const inProgress = errorOf(submit(Uint8Array.of(1)))
  const waiting = submit(Uint8Array.of(2))
  turns.detach()
  await expect(waiting).rejects.toEqual(refused("expired"))

  const replugged = new RecordingPort()
  turns.attach(replugged, 2)
  const next = submit(Uint8Array.of(3), { open: 2 })
  await port.close()
  expect(await inProgress).toEqual(refused("aborted"))
  await next
  expect(replugged.bytes).toEqual(Uint8Array.of(3))
  expect(replugged.isClosed).toBe(false)
})

test("what an earlier process answered is answered again, and not written again", async () => {
  const from = `${epoch}-0`
  const to = `${epoch}-3`
  const one = { client: "me", by: "user", from, bytes: 3 }
  const remembered: RememberedWrite[] = [
    { ...one, id: "drained", outcome: { kind: "drained", bytes: 3, to, drainedUs: 5 } },
    { ...one, id: "refused", outcome: { kind: "refused", bytes: 0, code: "expired" } },
    { ...one, id: "unknown", outcome: { kind: "refused", bytes: 0, code: "of_a_later_version" } },
    { ...one, id: "cut", outcome: null },
    { ...one, id: "nobody's", client: undefined, outcome: null },
  ]
  const { port, submit, marks } = startWrites({ remembered })
  const cut = { kind: "refused", by: "user", code: "aborted", bytes: 3 }
  expect(await marks()).toEqual([
    { n: 0, ...cut, client: "me", id: "cut" },
    { n: 1, ...cut, id: "nobody's" },
  ])
  const repeat = (id: string) => submit(Uint8Array.of(1, 2, 3), { id })
  expect(await repeat("drained")).toEqual({ bytes: 3, from, to, drainedUs: 5 })
  await expect(repeat("refused")).rejects.toEqual(refused("expired"))
  await expect(repeat("unknown")).rejects.toEqual(refused("internal"))
  await expect(repeat("cut")).rejects.toMatchObject({
    code: "aborted",
    message: "At least 3 bytes were written: the agent was stopped.",
  })
  expect(port.slices).toEqual([])
  await submit(Uint8Array.of(9), { id: "drained", client: "other" })
  expect(port.bytes).toEqual(Uint8Array.of(9))
})
