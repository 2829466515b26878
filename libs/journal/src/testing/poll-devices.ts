/**
 * A process to be killed: it keeps the journals of many devices, each of which is polled again and again, and tells what it
 * showed. SIGTERM closes it in order. Arguments: folder, stage folder or `-`, boot id, count of devices, bytes to begin with.
 */
import { mkdirSync, writeSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { streamNames } from "@serialcast/contract"
import { systemClock } from "@serialcast/primitives"
import { countingBytes } from "@serialcast/testkit"
import { createEpoch } from "../create-epoch.ts"
import { createFiles } from "../disk/files.ts"
import type { DiskJournal } from "../disk-journal.ts"
import { openDiskJournal } from "../open/open-disk-journal.ts"
import { log } from "./quiet-log.ts"

const [, , dir = "", stageDir = "-", bootId = "", count = "1", firstBytes = "0"] = process.argv
const startMs = performance.now()
const deps = { clock: systemClock, log, createEpoch, bootId, files: createFiles() }
if (stageDir !== "-") mkdirSync(stageDir, { recursive: true })
const journals = await Promise.all(
  Array.from({ length: Number(count) }, (_, device) =>
    openDiskJournal(
      {
        dir: join(dir, `d${device}`),
        stage: stageDir === "-" ? null : join(stageDir, `d${device}`),
        maxBytes: 64 * 1024 * 1024,
        maxAgeMs: null,
        syncMs: 20,
      },
      deps,
    ),
  ),
)
const openMs = performance.now() - startMs
let isStopping = false
process.on("SIGTERM", () => (isStopping = true))
tell({ openMs, epochs: journals.map(({ epoch }) => epoch), heads: heads() })
await fill(Number(firstBytes))
tellHeads("ready")
for (let turn = 0; !isStopping; turn++) {
  for (const journal of journals) poll(journal, turn)
  tellHeads("shown")
  await sleep(20)
}
await Promise.all(journals.map((journal) => journal.close()))
// Nothing holds it any more.
process.disconnect()

/** Until every device said so much: quicker than by polls alone. */
async function fill(bytes: number): Promise<void> {
  for (const journal of journals) {
    for (let turn = 0; journal.place("rx").offset < bytes; turn++) {
      poll(journal, turn)
      journal.append("rx", countingBytes(journal.place("rx").offset, 2_000))
      if (turn % 500 === 0) await journal.flushed()
    }
    await journal.flushed()
  }
}

function poll(journal: DiskJournal, turn: number): void {
  const write = { client: "web", id: `${journal.place("tx").offset}-${turn}`, by: "poller", bytes: 8 }
  journal.mark("tx", { kind: "started", ...write })
  journal.append("tx", countingBytes(journal.place("tx").offset, 8))
  journal.mark("tx", { kind: "drained", ...write })
  journal.append("rx", countingBytes(journal.place("rx").offset, 24))
}

function heads(): number[][] {
  return journals.map((journal) => streamNames.map((stream) => journal.head(stream).offset))
}

function tellHeads(what: string): void {
  tell({ what, heads: heads() })
}

function tell(value: unknown): void {
  writeSync(1, `${JSON.stringify(value)}\n`)
}
