import { fork } from "node:child_process"
import { once } from "node:events"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { type StreamName, streamNames } from "@serialcast/contract"
import { systemClock } from "@serialcast/primitives"
import { comparePositions, type Position } from "@serialcast/records"
import { seededRandom } from "@serialcast/testkit"
import { describe, expect, onTestFinished, test } from "vitest"
import type { DiskJournal } from "./disk-journal.ts"
import { createFolder, openTestJournal, readThrough } from "./testing/test-journal.ts"

const script = new URL("./testing/append-forever.ts", import.meta.url)

interface Shown {
  epoch: string
  readonly heads: Record<StreamName, Position>
}

interface Killing {
  readonly dir: string
  readonly stage: string | null
  readonly seed: number
  readonly lines: number
}

/** Lets a child append until it has shown so often that it has more, then kills it in the middle. */
async function killAfter({ dir, stage, seed, lines }: Killing): Promise<Shown> {
  const execArgv = ["--conditions=@serialcast/source", "--import", "tsx"]
  const args = [dir, String(seed), stage ?? ""]
  const child = fork(script, args, { execArgv, stdio: ["ignore", "pipe", "inherit", "ipc"] })
  onTestFinished(() => void child.kill("SIGKILL"))
  const shown: Shown = { epoch: "", heads: { rx: { offset: 0, mark: 0 }, tx: { offset: 0, mark: 0 } } }
  let count = 0
  const exited = once(child, "exit")
  for await (const line of createInterface({ input: child.stdout! })) {
    const [what, value = "", mark] = line.split(" ")
    if (what === "epoch") shown.epoch = value
    else shown.heads[what as StreamName] = { offset: Number(value), mark: Number(mark) }
    if (++count === lines) child.kill("SIGKILL")
  }
  expect(await exited).toEqual([null, "SIGKILL"])
  return shown
}

describe.each([
  ["with a stage", true],
  ["without one", false],
])("%s", (_name, hasStage) => {
  test("kill -9 loses nothing that was shown, and the epoch goes on, time after time", async () => {
    const dir = await createFolder()
    const stage = hasStage ? join(await createFolder(), "uno") : null
    const random = seededRandom()
    for (let round = 0; round < 3; round++) {
      const lines = 100 + Math.floor(random.next() * 1_000)
      const { epoch, heads } = await killAfter({ dir, stage, seed: random.seed + round, lines })
      // Without a stage, a disk that paused for a second costs the note, until it is written again.
      const isNoted = hasStage || existsSync(join(dir, "journal.json"))
      const journal = await openTestJournal({ dir, stage, maxBytes: 4 * 1024 * 1024, clock: systemClock })
      // What the stage had goes to the disk, and the oldest for it.
      await journal.flushed()
      const message = `seed ${random.seed}, round ${round}`
      if (isNoted) expect(journal.epoch, message).toBe(epoch)
      if (isNoted) for (const stream of streamNames) await expectWhole(journal, stream, { heads, message })
      await journal.close()
    }
  }, 120_000)
})

async function expectWhole(
  journal: DiskJournal,
  stream: StreamName,
  { heads, message }: { readonly heads: Shown["heads"]; readonly message: string },
): Promise<void> {
  const head = journal.head(stream)
  expect(comparePositions(head, heads[stream]), message).toBeGreaterThanOrEqual(0)
  const { oldest } = journal.extent(stream)
  const { runs } = await readThrough(journal, { stream })
  // There may be an epoch before it, of a round that lost its note.
  const ofThis = runs.slice(runs.lastIndexOf("gap ?") + 1)
  expect(ofThis, message).toEqual([`${oldest}-${head.offset}`])
}
