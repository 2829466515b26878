import { fork } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"
import { type StreamName, streamNames } from "@serialcast/contract"
import { comparePositions, type Position } from "@serialcast/device-stream"
import { seededRandom } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import { createFolder, openTestJournal, readThrough } from "./test-journal.ts"

const script = new URL("./append-forever.ts", import.meta.url)

interface Shown {
  epoch: string
  readonly heads: Record<StreamName, Position>
}

/** Lets a child append until it has shown so often that it has more, then kills it in the middle. */
async function killAfter(dir: string, seed: number, lines: number): Promise<Shown> {
  const execArgv = ["--conditions=@serialcast/source", "--import", "tsx"]
  const child = fork(script, [dir, String(seed)], { execArgv, stdio: ["ignore", "pipe", "inherit", "ipc"] })
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

test("kill -9 loses nothing that was shown, and the epoch goes on, time after time", async () => {
  const dir = await createFolder()
  const random = seededRandom()
  const epochs = new Set<string>()
  for (let round = 0; round < 5; round++) {
    const { epoch, heads } = await killAfter(
      dir,
      random.seed + round,
      100 + Math.floor(random.next() * 1_000),
    )
    const journal = await openTestJournal({ dir, maxBytes: 4 * 1024 * 1024 })
    epochs.add(epoch).add(journal.epoch)
    expect([...epochs], `seed ${random.seed}`).toEqual([epoch])
    for (const stream of streamNames) {
      const head = journal.head(stream)
      expect(comparePositions(head, heads[stream]), `seed ${random.seed}`).toBeGreaterThanOrEqual(0)
      const { runs } = await readThrough(journal, { stream })
      const { oldest } = journal.extent(stream)
      expect(runs, `seed ${random.seed}`).toEqual([`${oldest}-${head.offset}`])
    }
    await journal.close()
  }
}, 60_000)
