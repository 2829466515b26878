import { createMemoryJournal, type Journal, type RememberedWrite } from "@serialcast/journal"
import { FakeClock } from "@serialcast/testkit"
import { expect } from "vitest"
import { WriteLease } from "../leases/write-lease.ts"
import { maxQueuedBytes, TurnQueue } from "../turns/turn-queue.ts"
import { HoldWatch } from "../writes/hold-watch.ts"
import { noPacing, type Pacing } from "../writes/pacing.ts"
import { WriteQueue } from "../writes/write-queue.ts"
import type { Write } from "../writes/write-turn.ts"
import { RecordingPort } from "./recording-port.ts"

export const epoch = "00112233aabbccdd"

export interface WritesSetup {
  readonly remembered?: readonly RememberedWrite[]
  readonly pacing?: Pacing
  readonly settled?: Journal["settled"]
  /** Default: 0.1, so that a slice has 2,500 bytes. */
  readonly byteMs?: number
  /** Default: 0. */
  readonly openedBefore?: number
  /** Default: none. */
  readonly holdLimitMs?: number | null
}

/** The writes of one port that records them. For tests. */
export function startWrites({
  remembered = [],
  pacing = noPacing,
  settled,
  byteMs = 0.1,
  openedBefore = 0,
  holdLimitMs = null,
}: WritesSetup = {}) {
  const clock = new FakeClock()
  const memory = createMemoryJournal({ clock, createEpoch: () => epoch })
  const journal = Object.assign(memory, { writes: remembered, settled: settled ?? (async () => {}) })
  const lease = new WriteLease({ clock, journal, onChange: () => {} })
  const turns = new TurnQueue({ clock, lease, openedBefore })
  const marked = (kind: "held" | "resumed") => void journal.mark("tx", { kind })
  const hold = new HoldWatch(clock, {
    limitMs: holdLimitMs,
    onHeld: () => marked("held"),
    onResumed: () => marked("resumed"),
  })
  const queue = new WriteQueue({ turns, journal, clock, pacing, byteMs: () => byteMs, restMs: 0, hold })
  const port = new RecordingPort()
  turns.attach(port, 1)
  let ids = 0
  const submit = (bytes: Uint8Array, options: Partial<Write> = {}) =>
    queue.submit({ id: `w${ids++}`, client: "me", by: "user", bytes, ...options })
  const marks = async () =>
    (await journal.page("tx", { kind: "start" }, maxQueuedBytes)).records.flatMap((record) =>
      "mark" in record ? [record.mark] : [],
    )
  const refusals = async () => (await marks()).filter(({ kind }) => kind === "refused")
  return { clock, journal, lease, turns, queue, port, submit, marks, refusals }
}

/** An error with this code. */
export const refused = (code: string) => expect.objectContaining({ code })
export const errorOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  )
export const tick = () => new Promise(setImmediate)
