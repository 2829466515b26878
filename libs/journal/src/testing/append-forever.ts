/** A process to be killed: it appends to the journal in a folder, and prints the heads that it has shown. */
import { writeSync } from "node:fs"
import { setImmediate } from "node:timers/promises"
import { type StreamName, streamNames } from "@serialcast/contract"
import { systemClock } from "@serialcast/primitives"
import { countingBytes, seededRandom } from "@serialcast/testkit"
import { createFiles } from "../disk/files.ts"
import { openDiskJournal } from "../open/open-disk-journal.ts"
import { log } from "./quiet-log.ts"

const maxLagBytes = 1024 * 1024
const [, , dir = "", seed, stage = ""] = process.argv
const random = seededRandom(Number(seed))
const journal = await openDiskJournal(
  { dir, maxBytes: 4 * 1024 * 1024, maxAgeMs: null, syncMs: 100, stage: stage === "" ? null : stage },
  {
    clock: systemClock,
    log,
    createEpoch: () =>
      Math.floor(random.next() * 2 ** 48)
        .toString(16)
        .padStart(16, "0"),
    bootId: "boot-1",
    files: createFiles(),
  },
)
let appendedBytes = 0
writeSync(1, `epoch ${journal.epoch}\n`)
for (const stream of streamNames) void tell(stream)
for (;;) {
  for (let burst = random.next() * 20; burst > 0; burst--) appendSome(random.next() < 0.7 ? "rx" : "tx")
  await setImmediate()
  // No device is faster than the disk for long: what is shown without being kept is another test's.
  if (appendedBytes < maxLagBytes) continue
  await journal.flushed()
  appendedBytes = 0
}

async function tell(stream: StreamName): Promise<void> {
  for (;;) {
    await journal.news[stream].wait()
    const { offset, mark } = journal.head(stream)
    writeSync(1, `${stream} ${offset} ${mark}\n`)
  }
}

function appendSome(stream: StreamName): void {
  if (random.next() < 0.1) return void journal.mark(stream, { kind: "closed", reason: "test" })
  const length = 1 + Math.floor(random.next() ** 6 * 30_000)
  journal.append(stream, countingBytes(journal.place(stream).offset, length))
  appendedBytes += length
}
