import type { Lease } from "@serialcast/contract"
import { createMemoryJournal } from "@serialcast/journal"
import { clockTroubles, FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { WriteLease } from "./write-lease.ts"

function start() {
  const clock = new FakeClock()
  const journal = createMemoryJournal({ clock, createEpoch: () => "00112233aabbccdd" })
  const told: (string | null)[] = []
  const lease: WriteLease = new WriteLease({ clock, journal, onChange: () => told.push(lease.holder) })
  const take = (by: string, more: { lease?: string; steal?: boolean } = {}) =>
    lease.take({ by, ttlMs: 1_000, steal: false, ...more })
  const marks = async () => {
    const { records } = await journal.page("rx", { kind: "start" }, 60_000)
    return records.flatMap((record) => ("mark" in record ? [record.mark] : []))
  }
  return { clock, lease, take, marks, told }
}

const refused = (code: string) => expect.objectContaining({ code })

test("while nobody holds it, everybody may write, but not with a token", () => {
  const { lease } = start()
  expect(lease.whyNot(undefined)).toBeNull()
  expect(lease.whyNot("old")).toEqual(refused("lease_lost"))
  expect(() => lease.release("old")).toThrow(refused("lease_lost"))
})

test("what it is taken for is told to everyone, from where on, and with its end", async () => {
  const { lease, marks } = start()
  const { token } = lease.take({ by: "ann", ttlMs: 1_000, steal: false, purpose: "put main.py" })
  expect(lease.inForce).toEqual({ holder: "ann", purpose: "put main.py", from: 0 })
  expect(lease.whyNot(undefined)).toMatchObject({ message: "ann holds the device (put main.py)." })
  lease.release(token)
  expect(lease.inForce).toBeNull()
  expect(await marks()).toMatchObject([
    { kind: "leased", holder: "ann", purpose: "put main.py" },
    { kind: "released", holder: "ann", purpose: "put main.py", reason: "released" },
  ])
})

test("what became of it is told with its end", async () => {
  const { lease, marks } = start()
  const { token } = lease.take({ by: "ann", ttlMs: 1_000, steal: false, purpose: "put main.py" })
  lease.release(token, "failed")
  expect(await marks()).toMatchObject([{ kind: "leased" }, { kind: "released", outcome: "failed" }])
})

test("while it is held, only its token writes", () => {
  const { lease, take } = start()
  const { token, holder, ttlMs } = take("ann")
  expect({ holder, ttlMs }).toEqual({ holder: "ann", ttlMs: 1_000 })
  expect(token).toMatch(/^[A-Za-z0-9_-]{22}$/)
  expect(lease.whyNot(token)).toBeNull()
  expect(lease.whyNot(undefined)).toMatchObject({ code: "leased", message: "ann holds the device." })
  expect(lease.whyNot("other")).toEqual(refused("lease_lost"))
})

type Setup = ReturnType<typeof start>
const leased = (holder: string) => ({ kind: "leased", holder })
const released = (holder: string, reason: string) => ({ kind: "released", holder, reason })

/** From ann's lease: what happens, who holds it then, and the marks of that. */
test.each<[string, (setup: Setup, anns: Lease) => unknown, string | null, object[]]>([
  ["bob asks", ({ take }) => expect(() => take("bob")).toThrow(refused("leased")), "ann", []],
  [
    "ann asks without her token",
    ({ take }) => expect(() => take("ann")).toThrow(refused("leased")),
    "ann",
    [],
  ],
  [
    "bob steals it",
    ({ take }) => take("bob", { steal: true }),
    "bob",
    [released("ann", "stolen"), leased("bob")],
  ],
  ["ann renews it", ({ take }, { token }) => take("ann", { lease: token }), "ann", []],
  [
    "ann renews it under another name",
    ({ take }, { token }) => expect(take("anna", { lease: token })).toMatchObject({ token, holder: "ann" }),
    "ann",
    [],
  ],
  [
    "someone renews and steals with an old token",
    ({ take }) => expect(() => take("eve", { lease: "old", steal: true })).toThrow(refused("lease_lost")),
    "ann",
    [],
  ],
  ["ann releases it", ({ lease }, { token }) => lease.release(token), null, [released("ann", "released")]],
  ["its time is over", ({ clock }) => clock.advance(1_000), null, [released("ann", "expired")]],
  ["its time is nearly over", ({ clock }) => clock.advance(999), "ann", []],
  [
    "it is renewed in time",
    ({ clock, take }, { token }) => {
      clock.advance(999)
      take("ann", { lease: token })
      clock.advance(999)
    },
    "ann",
    [],
  ],
  [
    "it is renewed too late",
    ({ clock, take }, { token }) => {
      clock.advance(1_000)
      expect(() => take("ann", { lease: token })).toThrow(refused("lease_lost"))
    },
    null,
    [released("ann", "expired")],
  ],
  [
    "bob takes it after its time",
    ({ clock, take }) => {
      clock.advance(1_000)
      take("bob")
    },
    "bob",
    [released("ann", "expired"), leased("bob")],
  ],
])("%s", async (_name, act, holder, marks) => {
  const setup = start()
  const anns = setup.take("ann")
  setup.told.length = 0
  await act(setup, anns)
  expect(setup.lease.holder).toBe(holder)
  expect(setup.lease.whyNot(anns.token)).toEqual(holder === "ann" ? null : refused("lease_lost"))
  expect(await setup.marks()).toMatchObject([leased("ann"), ...marks])
  expect(setup.told.at(-1)).toEqual(marks.length === 0 ? undefined : holder)
})

test("a lease whose time went by while nothing ran is over before its timer fires", () => {
  const clock = new FakeClock()
  const journal = createMemoryJournal({ clock, createEpoch: () => "00112233aabbccdd" })
  // A process that was stopped wakes with the time gone and its timers still pending.
  const stopped = {
    nowMs: () => clock.nowMs(),
    nowUs: () => clock.nowUs(),
    monotonicMs: () => clock.monotonicMs(),
    startTimer: () => clock.startTimer(1e9, () => {}),
  }
  const lease = new WriteLease({ clock: stopped, journal, onChange: () => {} })
  const { token } = lease.take({ by: "ann", ttlMs: 1_000, steal: false })
  clock.advance(1_000)
  expect(lease.whyNot(token)).toEqual(refused("lease_lost"))
  expect(lease.whyNot(undefined)).toBeNull()
})

test("a timer that fires early does not end the lease, and it ends in time all the same", () => {
  const clock = new FakeClock()
  const journal = createMemoryJournal({ clock, createEpoch: () => "00112233aabbccdd" })
  const hasty = {
    nowMs: () => clock.nowMs(),
    nowUs: () => clock.nowUs(),
    monotonicMs: () => clock.monotonicMs(),
    startTimer: (ms: number, fire: () => void) => clock.startTimer(ms > 1 ? ms - 1 : ms, fire),
  }
  const told: (string | null)[] = []
  const lease: WriteLease = new WriteLease({ clock: hasty, journal, onChange: () => told.push(lease.holder) })
  lease.take({ by: "ann", ttlMs: 1_000, steal: false })
  clock.advance(999.5)
  expect(told).toEqual(["ann"])
  clock.advance(1)
  expect(told).toEqual(["ann", null])
})

test("the end of the agent ends the lease, with a mark; nobody takes it afterwards", async () => {
  const { clock, lease, take, marks } = start()
  const { token } = take("ann")
  lease.stop()
  lease.stop()
  expect(await marks()).toMatchObject([leased("ann"), released("ann", "stopped")])
  expect(lease.holder).toBeNull()
  for (const more of [{}, { lease: token }, { steal: true }])
    expect(() => take("ann", more)).toThrow(refused("device_offline"))
  expect(clock.pendingTimers).toBe(0)
})

test.each(clockTroubles)(
  "on a machine %s a lease is held for its time, and no longer",
  async (_title, befall) => {
    const { clock, lease, take, marks } = start()
    const { token } = take("ann")
    clock.advance(500)
    befall(clock)
    expect([lease.holder, lease.whyNot(token)]).toEqual(["ann", null])
    clock.advance(499)
    expect(lease.holder).toBe("ann")
    clock.advance(1)
    expect(lease.holder).toBeNull()
    expect(await marks()).toMatchObject([leased("ann"), released("ann", "expired")])
    expect(clock.pendingTimers).toBe(0)
  },
)
