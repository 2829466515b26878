import { formatCursor, maxTtlMs, type Receipt } from "@serialcast/contract"
import { createDeferred } from "@serialcast/primitives"
import { seededRandom } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { epoch, errorOf, refused, startWrites, tick } from "../testing/start-writes.ts"

test("a receipt says what was written, where it stands in the tx stream, and when it was drained", async () => {
  const { clock, port, submit, journal } = startWrites()
  await submit(Uint8Array.of(9))
  const bytes = seededRandom(1).bytes(100_000)
  expect(await submit(bytes)).toEqual({
    bytes: 100_000,
    // After `drained` of the first write and `started` of this one.
    from: formatCursor({ epoch, offset: 1, mark: 2 }),
    to: formatCursor({ epoch, offset: 100_001, mark: 0 }),
    drainedUs: clock.nowUs(),
  } satisfies Receipt)
  expect(Buffer.compare(port.bytes.subarray(1), bytes)).toBe(0)
  expect(port.drains).toBe(2)
  expect(journal.extent("tx")).toEqual({ oldest: 0, head: 100_001 })
})

test("there is no receipt before the drain", async () => {
  const { port, submit } = startWrites()
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
  expect(await startWrites().submit(new Uint8Array(0))).toMatchObject({ bytes: 0 })
})

test("a port may take nothing for hours: the write, and what its session sent meanwhile, goes on where it stopped", async () => {
  const { clock, port, submit, marks } = startWrites()
  const bytes = seededRandom(2).bytes(10_000)
  let told = 0
  const places = [0, 1, 2, 3].map((seq) => ({ session: "job", seq, ttlMs: maxTtlMs }))
  port.hold()
  const sent = places.map((place) =>
    submit(bytes.subarray(place.seq * 2_500, (place.seq + 1) * 2_500), {
      ...place,
      onProgress: () => told++,
    }),
  )
  await clock.advanceAsync(5 * 3_600_000)
  expect(port.isClosed).toBe(false)
  // Whoever waits for the receipt hears that it goes on.
  expect(told).toBe(5 * 3_600)
  port.release()
  expect(await Promise.all(sent)).toHaveLength(4)
  expect(Buffer.compare(port.bytes, bytes)).toBe(0)
  const kinds = (await marks()).map(({ kind }) => kind)
  expect(kinds.slice(0, 3)).toEqual(["started", "held", "resumed"])
  expect(kinds.filter((kind) => kind === "held" || kind === "resumed")).toHaveLength(2)
  expect(clock.pendingTimers).toBe(0)
})

test("where a limit is configured, a port that takes nothing for longer is closed", async () => {
  const { clock, port, submit } = startWrites({ holdLimitMs: 60_000 })
  port.hold()
  const stuck = errorOf(submit(new Uint8Array(1_000)))
  // It is held from two seconds on, and twice the time that the bytes need on the wire.
  await clock.advanceAsync(62_199)
  expect(port.isClosed).toBe(false)
  await clock.advanceAsync(1)
  expect(await stuck).toMatchObject({
    code: "aborted",
    message: "At least 0 of 1000 bytes were written: the port took no bytes for 60 s.",
  })
  expect(port.isClosed).toBe(true)
  expect(clock.pendingTimers).toBe(0)
})

test("a write that the port holds is taken back at once, with what the port took of it, and the next follows it", async () => {
  const { port, queue, submit, refusals, journal } = startWrites()
  const write = port.write.bind(port)
  // The kernel has room for 100 bytes more, and then for none.
  port.write = async (bytes, signal) => {
    if (bytes.byteLength < 2_500) return await write(bytes)
    await write(bytes.subarray(0, 100))
    await new Promise((resolve) => signal?.addEventListener("abort", resolve))
    return 100
  }
  const held = errorOf(submit(new Uint8Array(100_000), { id: "held" }))
  const next = submit(Uint8Array.of(7))
  await tick()
  expect(queue.cancel("me", "held")).toBe(true)
  expect(await held).toMatchObject({
    code: "cancelled",
    message: "100 of 100000 bytes were written, then it was taken back.",
  })
  await next
  expect([port.bytes.byteLength, port.isClosed, journal.extent("tx").head]).toEqual([101, false, 101])
  expect(await refusals()).toMatchObject([{ id: "held", code: "cancelled", bytes: 100 }])
})

test("a port that does not give back what it holds is closed: nobody would know what it still writes", async () => {
  const { clock, port, queue, submit } = startWrites()
  port.write = () => new Promise(() => {})
  const held = errorOf(submit(new Uint8Array(1_000), { id: "held" }))
  await tick()
  expect(queue.cancel("me", "held")).toBe(true)
  await clock.advanceAsync(5_000)
  expect(await held).toMatchObject({ code: "aborted" })
  expect(port.isClosed).toBe(true)
})

test("that a write begins is in the journal before its first byte is on its way, its end before the receipt", async () => {
  const shown = createDeferred<void>()
  const { port, submit, marks } = startWrites({ settled: () => shown.promise })
  let isDone = false
  const receipt = submit(Uint8Array.of(1, 2), { id: "a" }).then(() => {
    isDone = true
  })
  await tick()
  const named = { client: "me", id: "a", by: "user", bytes: 2 }
  expect(await marks()).toEqual([{ n: 0, kind: "started", ...named }])
  expect(port.slices).toEqual([])
  shown.resolve()
  await receipt
  expect(isDone).toBe(true)
  expect(await marks()).toEqual([
    { n: 0, kind: "started", ...named },
    { n: 0, kind: "drained", ...named },
  ])
})

test("a disk that hangs delays a write, but does not stop it", async () => {
  const { clock, submit, port } = startWrites({ settled: () => new Promise(() => {}) })
  const receipt = submit(Uint8Array.of(1))
  await clock.advanceAsync(1_999)
  expect(port.slices).toEqual([])
  await clock.advanceAsync(1)
  expect(port.bytes).toEqual(Uint8Array.of(1))
  await clock.advanceAsync(2_000)
  expect(await receipt).toMatchObject({ bytes: 1 })
})

test("a write that waits is taken back; one that is over, or another client's, is not", async () => {
  const { port, queue, submit, refusals } = startWrites()
  port.hold()
  const first = submit(Uint8Array.of(1), { id: "first" })
  const waiting = submit(Uint8Array.of(2), { id: "waiting" })
  expect(queue.cancel("other", "waiting")).toBe(false)
  expect(queue.cancel("me", "waiting")).toBe(true)
  await expect(waiting).rejects.toEqual(refused("cancelled"))
  port.release()
  await first
  expect(queue.cancel("me", "first")).toBe(false)
  expect(queue.cancel("me", "waiting")).toBe(false)
  expect(port.bytes).toEqual(Uint8Array.of(1))
  expect(await refusals()).toMatchObject([{ id: "waiting", code: "cancelled", bytes: 0 }])
})

test("a write that is taken back ends after a quarter of a second on the wire, and is counted", async () => {
  const { port, queue, submit, refusals, journal } = startWrites({ byteMs: 1 })
  const write = port.write.bind(port)
  const onWire = createDeferred<void>()
  // As a driver does whose kernel took all of it at once.
  port.write = async (bytes) => {
    await onWire.promise
    return await write(bytes)
  }
  const cut = errorOf(submit(new Uint8Array(100_000), { id: "cut" }))
  const next = submit(Uint8Array.of(7))
  await tick()
  expect(queue.cancel("me", "cut")).toBe(true)
  onWire.resolve()
  expect(await cut).toMatchObject({
    code: "cancelled",
    message: "250 of 100000 bytes were written, then it was taken back.",
  })
  await next
  expect(port.bytes.byteLength).toBe(251)
  expect(port.isClosed).toBe(false)
  expect(await refusals()).toMatchObject([{ id: "cut", code: "cancelled", bytes: 250 }])
  expect(journal.extent("tx").head).toBe(251)
})

test("a write whose drain flow control holds up can be taken back", async () => {
  const { port, queue, submit } = startWrites()
  const drained = createDeferred<void>()
  port.drain = () => drained.promise
  const held = errorOf(submit(Uint8Array.of(1), { id: "held" }))
  await tick()
  expect(port.bytes).toEqual(Uint8Array.of(1))
  expect(queue.cancel("me", "held")).toBe(true)
  expect(await held).toMatchObject({ code: "cancelled" })
  drained.resolve()
})

test("how far a long write is, is told once a second", async () => {
  const { clock, port, submit } = startWrites()
  const told: unknown[] = []
  const write = port.write.bind(port)
  const gates = [createDeferred<void>(), createDeferred<void>()]
  port.write = async (bytes, signal) => {
    await gates[port.slices.length]?.promise
    return await write(bytes, signal)
  }
  const receipt = submit(new Uint8Array(4_000), { onProgress: (progress) => told.push(progress) })
  await clock.advanceAsync(1_999)
  expect(told).toEqual([{ bytes: 0, of: 4_000 }])
  gates[0]?.resolve()
  await clock.advanceAsync(1)
  expect(told).toEqual([
    { bytes: 0, of: 4_000 },
    { bytes: 2_500, of: 4_000 },
  ])
  gates[1]?.resolve()
  await receipt
  await clock.advanceAsync(5_000)
  expect(told).toHaveLength(2)
  expect(clock.pendingTimers).toBe(0)
})

test("bytes go out at their pace, the write's own before the device's, and a pause begins when the byte is out", async () => {
  const { clock, port, submit } = startWrites({ pacing: { charDelayMs: 10, lineDelayMs: 0 } })
  const paced = submit(Uint8Array.of(1, 2, 3))
  await clock.advanceAsync(0)
  expect(port.bytes).toEqual(Uint8Array.of(1))
  expect(port.drains).toBe(1)
  await clock.advanceAsync(9)
  expect(port.slices).toHaveLength(1)
  await clock.advanceAsync(1)
  expect(port.slices).toHaveLength(2)
  await clock.advanceAsync(20)
  expect(await paced).toMatchObject({ bytes: 3 })
  await submit(Buffer.from("a\nb"), { charDelayMs: 0 })
  expect(port.slices).toHaveLength(4)
})

test("a pause is no reason for a port to be given up, and is cut when the device goes away", async () => {
  const { clock, port, submit, turns, refusals } = startWrites()
  const error = errorOf(submit(Buffer.from("a\nb\nc\n"), { lineDelayMs: 60_000 }))
  await clock.advanceAsync(119_000)
  expect(Buffer.from(port.bytes).toString()).toBe("a\nb\n")
  turns.detach()
  expect(await error).toMatchObject({
    code: "aborted",
    message: "At least 4 of 6 bytes were written: the device went away.",
  })
  expect(await refusals()).toMatchObject([{ code: "aborted", bytes: 4 }])
  expect(clock.pendingTimers).toBe(0)
})

test("a write whose pauses would take more than an hour is refused", async () => {
  const { submit, port } = startWrites()
  const paced = submit(new Uint8Array(3_601), { charDelayMs: 1_000 })
  await expect(paced).rejects.toEqual(refused("too_large"))
  expect(port.slices).toEqual([])
})
