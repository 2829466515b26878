import { expect, test } from "vitest"
import { createFolder, openTestJournal } from "../testing/test-journal.ts"

test("writes of earlier processes are remembered with how they ended", async () => {
  const dir = await createFolder()
  const journal = await openTestJournal({ dir })
  const { epoch } = journal
  const of = (id: string, bytes: number) => ({ client: "web", id, by: "somebody", bytes })
  journal.mark("tx", { kind: "started", ...of("whole", 4) })
  journal.append("tx", new Uint8Array(4))
  journal.mark("tx", { kind: "drained", ...of("whole", 4) })
  journal.mark("tx", { kind: "refused", ...of("late", 0), code: "expired" })
  journal.mark("tx", { kind: "started", id: "nobody's", by: "somebody", bytes: 1 })
  journal.append("tx", new Uint8Array(1))
  journal.mark("tx", { kind: "started", ...of("half", 9) })
  journal.append("tx", new Uint8Array(2))
  journal.mark("tx", { kind: "refused", ...of("half", 2), code: "aborted" })
  journal.mark("tx", { kind: "started", ...of("killed", 9) })
  journal.append("tx", new Uint8Array(3))
  await journal.settled()
  const next = await openTestJournal({ dir })
  const drained = { kind: "drained", bytes: 4, to: `${epoch}-4`, drainedUs: 1_000_000 }
  expect(next.writes).toEqual([
    { client: "web", id: "whole", by: "somebody", from: `${epoch}-0.1`, bytes: 4, outcome: drained },
    {
      client: "web",
      id: "late",
      by: "somebody",
      from: `${epoch}-4.1`,
      bytes: 0,
      outcome: { kind: "refused", bytes: 0, code: "expired" },
    },
    { client: undefined, id: "nobody's", by: "somebody", from: `${epoch}-4.3`, bytes: 1, outcome: null },
    {
      client: "web",
      id: "half",
      by: "somebody",
      from: `${epoch}-5.1`,
      bytes: 2,
      outcome: { kind: "refused", bytes: 2, code: "aborted" },
    },
    { client: "web", id: "killed", by: "somebody", from: `${epoch}-7.2`, bytes: 3, outcome: null },
  ])
})

test.each([
  ["in the same epoch", {}, 1],
  ["in the epoch after a power failure", { bootId: "boot-2", createEpoch: () => "f".repeat(16) }, 2],
])(
  "a write that was cut and is refused by the next process, %s, is remembered as refused, once",
  async (...given) => {
    const [, next, epochs] = given
    const dir = await createFolder()
    const killed = await openTestJournal({ dir })
    for (const client of ["web", undefined]) {
      killed.mark("tx", { kind: "started", ...(client && { client }), id: "cut", by: "somebody", bytes: 9 })
      killed.append("tx", new Uint8Array(4))
    }
    await killed.settled()
    const restarted = await openTestJournal({ dir, ...next })
    expect(new Set([killed.epoch, restarted.epoch]).size).toBe(epochs)
    const cut = { id: "cut", by: "somebody", bytes: 4, outcome: null }
    const nobodys = { ...cut, client: undefined, from: `${killed.epoch}-4.1` }
    expect(restarted.writes).toEqual([{ ...cut, client: "web", from: `${killed.epoch}-0.1` }, nobodys])
    for (const { client, id, by, bytes } of restarted.writes)
      restarted.mark("tx", { kind: "refused", ...(client && { client }), id, by, bytes, code: "aborted" })
    await restarted.settled()
    const outcome = { kind: "refused", bytes: 4, code: "aborted" }
    expect((await openTestJournal({ dir, ...next })).writes).toEqual([
      { ...cut, client: "web", from: `${killed.epoch}-0.1`, outcome },
    ])
  },
)
