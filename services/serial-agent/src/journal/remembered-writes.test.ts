import { expect, test } from "vitest"
import { createFolder, openTestJournal } from "./test-journal.ts"

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
    { client: "web", id: "whole", from: `${epoch}-0.1`, bytes: 4, outcome: drained },
    {
      client: "web",
      id: "late",
      from: `${epoch}-4.1`,
      bytes: 0,
      outcome: { kind: "refused", bytes: 0, code: "expired" },
    },
    {
      client: "web",
      id: "half",
      from: `${epoch}-5.1`,
      bytes: 2,
      outcome: { kind: "refused", bytes: 2, code: "aborted" },
    },
    { client: "web", id: "killed", from: `${epoch}-7.2`, bytes: 3, outcome: null },
  ])
})
