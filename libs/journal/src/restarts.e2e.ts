import { type ChildProcess, fork } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, open, readdir, rm, stat, truncate } from "node:fs/promises"
import { join } from "node:path"
import { createInterface, type Interface } from "node:readline"
import { streamNames } from "@serialcast/contract"
import { systemClock } from "@serialcast/primitives"
import { type SeededRandom, seededRandom } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import { createFolder, openTestJournal, readThrough } from "./testing/test-journal.ts"

// The long form: RESTARTS=50 RESTART_DEVICES=32 RESTART_MIB=24 npx vitest run --project e2e libs/journal/src/restarts.e2e.ts
const restarts = Number(process.env["RESTARTS"] ?? 8)
const devices = Number(process.env["RESTART_DEVICES"] ?? 4)
const firstBytes = Number(process.env["RESTART_MIB"] ?? 0.5) * 1024 * 1024
const script = new URL("./testing/poll-devices.ts", import.meta.url)

type Heads = readonly (readonly number[])[]

interface Running {
  readonly child: ChildProcess
  readonly lines: Interface
  readonly epochs: readonly string[]
  readonly openMs: number
}

interface Place {
  readonly dir: string
  readonly stage: string
  bootId: number
}

async function start({ dir, stage, bootId }: Place): Promise<Running> {
  const execArgv = ["--conditions=@serialcast/source", "--import", "tsx"]
  const args = [dir, stage, `boot-${bootId}`, String(devices), String(firstBytes)]
  const child = fork(script, args, { execArgv, stdio: ["ignore", "pipe", "inherit", "ipc"] })
  onTestFinished(() => void child.kill("SIGKILL"))
  const lines = createInterface({ input: child.stdout! })
  const [line] = (await once(lines, "line")) as [string]
  return { child, lines, ...(JSON.parse(line) as { epochs: string[]; openMs: number }) }
}

/** Ends the process somewhere in the middle; answers what it told last. */
async function end(
  { child, lines }: Running,
  signal: "SIGTERM" | "SIGKILL",
  random: SeededRandom,
): Promise<Heads> {
  let heads: Heads = []
  let left = 3 + Math.floor(random.next() * 30)
  const exited = once(child, "exit")
  const closed = once(lines, "close")
  lines.on("line", (line) => {
    const told = JSON.parse(line) as { what: string; heads: Heads }
    heads = told.heads
    if (told.what === "shown" && --left === 0) child.kill(signal)
  })
  await Promise.all([exited, closed])
  return heads
}

/** What a power failure leaves: another boot, no memory, and of what was written last some is not there, or is zeros. */
async function failPower(place: Place, random: SeededRandom): Promise<void> {
  place.bootId++
  await rm(place.stage, { recursive: true })
  for (let device = 0; device < devices; device++) {
    const folder = join(place.dir, `d${device}`)
    for (const epoch of (await readdir(folder)).filter((name) => /^[0-9a-f]{16}$/.test(name))) {
      for (const kind of ["rx", "tx"]) await damageTail(join(folder, epoch), kind, random)
    }
  }
}

async function damageTail(folder: string, kind: string, random: SeededRandom): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name.startsWith(kind)).sort()
  for (const suffix of ["bytes", "index"]) {
    const name = names.findLast((candidate) => candidate.endsWith(suffix))
    if (name === undefined) continue
    const { size } = await stat(join(folder, name))
    const lost = Math.min(size, Math.floor(random.next() * 3_000))
    if (random.next() < 0.4) await truncate(join(folder, name), size - lost)
    else if (random.next() < 0.7) {
      const file = await open(join(folder, name), "r+")
      await file.write(new Uint8Array(lost), 0, lost, size - lost)
      await file.close()
    }
  }
}

/** Every byte that was shown is there, but for what power failures took; and none that is wrong. */
async function check(
  place: Place,
  { epochs, heads }: { epochs: readonly string[]; heads: Heads },
  message: string,
) {
  for (let device = 0; device < devices; device++) {
    const journal = await openTestJournal({
      dir: join(place.dir, `d${device}`),
      stage: join(place.stage, `d${device}`),
      bootId: `boot-${place.bootId}`,
      clock: systemClock,
    })
    expect(journal.epoch, message).toBe(epochs[device])
    for (const [at, stream] of streamNames.entries()) {
      expect(journal.head(stream).offset, message).toBeGreaterThanOrEqual(heads[device]?.[at] ?? 0)
      // Fails for a byte that is not the device's.
      const { runs } = await readThrough(journal, { stream })
      // Of earlier epochs, what a power failure took is a gap; of this one there is none.
      expect([undefined, "gap ?"], message).toContain(runs.at(-2))
      expect(runs.at(-1), message).toBe(`0-${journal.head(stream).offset}`)
    }
    await journal.close()
  }
}

test(`${devices} devices, ${restarts} restarts by SIGTERM, kill -9 and power failures in any order: nothing that was kept is lost`, async () => {
  const random = seededRandom()
  const dir = await createFolder()
  const stage = await mkdtemp("/dev/shm/serialcast-test-")
  onTestFinished(() => rm(stage, { recursive: true, force: true }))
  const place = { dir, stage, bootId: 1 }
  let running = await start(place)
  for (let round = 0; round < restarts; round++) {
    const how = (["SIGTERM", "SIGKILL", "power"] as const)[Math.floor(random.next() * 3)] ?? "SIGTERM"
    const message = `seed ${random.seed}, restart ${round} by ${how}`
    const before = running
    const heads = await end(running, how === "SIGTERM" ? "SIGTERM" : "SIGKILL", random)
    if (how !== "power") await check(place, { epochs: before.epochs, heads }, message)
    else await failPower(place, random)
    running = await start(place)
    for (const [device, epoch] of running.epochs.entries()) {
      if (how === "power") expect(epoch, message).not.toBe(before.epochs[device])
      else expect(epoch, message).toBe(before.epochs[device])
    }
  }
  const heads = await end(running, "SIGTERM", random)
  await check(place, { epochs: running.epochs, heads }, `seed ${random.seed}, at the end`)
}, 1_800_000)
