import { type Receipt, toAppError } from "@serialcast/contract"
import { createDeferred } from "@serialcast/primitives"
import { seededRandom } from "@serialcast/testkit"
import { expect, test } from "vitest"
import type { RecordingPort } from "../testing/recording-port.ts"
import { errorOf, refused, startWrites, tick } from "../testing/start-writes.ts"

test("an early write of a session waits 30 s for what is missing, then the session is over", async () => {
  const { clock, port, submit } = startWrites()
  const inSession = (seq: number) => submit(Uint8Array.of(seq), { session: "s", seq, ttlMs: 60_000 })
  await inSession(0)
  const early = errorOf(inSession(2))
  const later = errorOf(inSession(3))
  await clock.advanceAsync(29_999)
  await clock.advanceAsync(1)
  expect(await early).toEqual(refused("out_of_order"))
  expect(await later).toEqual(refused("out_of_order"))
  await expect(inSession(4)).rejects.toEqual(refused("out_of_order"))
  // The missing one itself is late, but nothing was written in its place.
  await inSession(1)
  expect(port.bytes).toEqual(Uint8Array.of(0, 1))
  expect(clock.pendingTimers).toBe(0)
})

test("when one of a session fails, what waits behind it is refused at once, and others go on", async () => {
  const { port, queue, submit } = startWrites()
  port.hold()
  const inSession = (seq: number) => submit(Uint8Array.of(seq), { id: `s${seq}`, session: "s", seq })
  const [first, second, third, early] = [0, 1, 2, 4].map(inSession)
  const other = submit(Uint8Array.of(99))
  queue.cancel("me", "s1")
  await expect(second).rejects.toEqual(refused("cancelled"))
  for (const later of [third, early, inSession(3)])
    await expect(later).rejects.toEqual(refused("out_of_order"))
  port.release()
  await Promise.all([first, other])
  expect(port.bytes).toEqual(Uint8Array.of(0, 99))
})

test("sessions that arrive in any order, with repeats, are written whole, once and in order", async () => {
  const random = seededRandom()
  const pick = (count: number) => Math.floor(random.next() * count)
  const { port, submit } = startWrites()
  const sessions = Array.from({ length: 8 }, (_, s) =>
    Array.from({ length: 1 + pick(30) }, (_, seq) => ({
      client: `client${s % 3}`,
      session: `${s}`,
      seq,
      id: `${s}/${seq}`,
      bytes: Uint8Array.from({ length: 3 + pick(40) }, (_, at) => [s, seq][at] ?? 200 + s),
    })),
  )
  const calls = sessions.flat().flatMap((write) => (random.next() < 0.2 ? [write, write] : [write]))
  const shuffled = calls.map((write) => ({ write, key: random.next() })).sort((a, b) => a.key - b.key)
  const receipts: Promise<Receipt>[] = []
  for (const { write } of shuffled) {
    receipts.push(submit(write.bytes, write))
    if (random.next() < 0.2) await tick()
  }
  await Promise.all(receipts)
  const written = new Map<number, number[]>()
  for (let rest = port.bytes; rest.byteLength > 0; ) {
    const [s = -1, seq = -1] = rest
    const { bytes } = sessions[s]![seq]!
    expect(rest.subarray(0, bytes.byteLength), `seed ${random.seed}`).toEqual(bytes)
    rest = rest.subarray(bytes.byteLength)
    written.set(s, [...(written.get(s) ?? []), seq])
  }
  for (const [s, writes] of sessions.entries())
    expect(written.get(s), `seed ${random.seed}`).toEqual([...writes.keys()])
})

test("whatever is refused, lost or cut at random, of each session a prefix is written and all is answered", async () => {
  const random = seededRandom()
  const { clock, port, queue, turns, submit } = startWrites()
  const outcomes: Promise<unknown>[] = []
  const write = port.write.bind(port)
  port.write = async (bytes, signal) => {
    for (let turn = Math.floor(random.next() * 3); turn > 0; turn--) await tick()
    return await write(bytes, signal)
  }
  let open = 1
  for (let step = 0; step < 600; step++) {
    const s = Math.floor(random.next() * 6)
    const seq = Math.floor(random.next() * 40)
    const dice = random.next()
    if (dice < 0.01) turns.detach()
    else if (dice < 0.05) turns.attach(port, ++open)
    else if (dice < 0.08) queue.cancel("me", `${s}/${seq}`)
    else if (dice < 0.1) await clock.advanceAsync(5_000)
    else outcomes.push(errorOf(submit(Uint8Array.of(s, seq), { id: `${s}/${seq}`, session: `${s}`, seq })))
    if (dice > 0.9) await tick()
  }
  await clock.advanceAsync(60_000)
  expect(await Promise.all(outcomes)).toHaveLength(outcomes.length)
  const next = new Map<number, number>()
  for (const [s = -1, seq = -1] of port.slices) {
    expect(seq, `seed ${random.seed}`).toBe(next.get(s) ?? 0)
    next.set(s, seq + 1)
  }
  expect(clock.pendingTimers).toBe(0)
})

test("thousands that wait in one session are refused with it in no time", async () => {
  const { port, turns, submit } = startWrites()
  port.hold()
  const inSession = (seq: number) => errorOf(submit(new Uint8Array(1), { session: "s", seq }))
  const waiting = Array.from({ length: 6_000 }, (_, seq) => inSession(seq))
  await tick()
  const startMs = performance.now()
  turns.detach()
  expect(performance.now() - startMs).toBeLessThan(1_000)
  port.release()
  const codes = (await Promise.all(waiting)).map((error) => toAppError(error).code)
  expect(codes.splice(0, 2)).toEqual(["aborted", "expired"])
  expect(new Set(codes)).toEqual(new Set(["out_of_order"]))
})

test("the next write of a session begins when the port took the one before; others wait until all are drained", async () => {
  const { port, submit } = startWrites()
  const drained = holdDrains(port)
  const inSession = (seq: number) => submit(Uint8Array.of(seq), { session: "s", seq })
  const both = [inSession(0), inSession(1)]
  const other = submit(Uint8Array.of(99))
  await tick()
  expect(port.bytes).toEqual(Uint8Array.of(0, 1))
  drained.resolve()
  await Promise.all([...both, other])
  expect(port.bytes).toEqual(Uint8Array.of(0, 1, 99))
})

test("taking back a write that drains ends the session with it, and what began behind it", async () => {
  const { port, queue, submit, refusals } = startWrites()
  const drained = holdDrains(port)
  const inSession = (seq: number) => submit(Uint8Array.of(seq), { id: `s${seq}`, session: "s", seq })
  const [first, second] = [errorOf(inSession(0)), errorOf(inSession(1))]
  await tick()
  expect(queue.cancel("me", "s0")).toBe(true)
  expect(await first).toMatchObject({ code: "cancelled", message: expect.stringContaining("1 of 1 bytes") })
  expect(await second).toEqual(refused("cancelled"))
  expect(port.isClosed).toBe(false)
  expect((await refusals()).map((mark) => "id" in mark && mark.id)).toEqual(["s0", "s1"])
  drained.resolve()
})

test("a session holds no more than eight writes that drain", async () => {
  const { port, submit } = startWrites()
  const drained = holdDrains(port)
  const all = Array.from({ length: 12 }, (_, seq) => submit(Uint8Array.of(seq), { session: "s", seq }))
  await tick()
  expect(port.bytes.byteLength).toBe(8)
  drained.resolve()
  await Promise.all(all)
  expect(port.bytes.byteLength).toBe(12)
})

test("what a session asked of an earlier process is not called unwritten, because nobody knows", async () => {
  const { turns, port, submit } = startWrites({ openedBefore: 3 })
  turns.attach(port, 4)
  await expect(submit(Uint8Array.of(1), { session: "s", seq: 0, open: 3 })).rejects.toEqual(
    refused("aborted"),
  )
  await expect(submit(Uint8Array.of(1), { open: 3 })).rejects.toEqual(refused("expired"))
  turns.attach(port, 5)
  await expect(submit(Uint8Array.of(1), { session: "t", seq: 0, open: 4 })).rejects.toEqual(
    refused("expired"),
  )
  expect(port.bytes.byteLength).toBe(0)
})

/** The port takes everything and drains nothing until this is resolved. */
function holdDrains(port: RecordingPort) {
  const drained = createDeferred<void>()
  port.drain = () => drained.promise
  return drained
}
