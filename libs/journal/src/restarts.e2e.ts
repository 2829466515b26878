import { type ChildProcess, fork } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, rm } from "node:fs/promises"
import { join } from "node:path"
import { createInterface, type Interface } from "node:readline"
import { type StartPoint, type StreamName, streamNames } from "@serialcast/contract"
import { systemClock } from "@serialcast/primitives"
import { type SeededRandom, seededRandom } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import type { DiskJournal } from "./disk-journal.ts"
import { damageTail } from "./testing/damage-tail.ts"
import { createFolder, cursorOf, openTestJournal, readThrough, type Span } from "./testing/test-journal.ts"

// Two minutes. The short form: RESTARTS=8 RESTART_DEVICES=4 RESTART_MIB=1 npx vitest run --project e2e libs/journal/src/restarts.e2e.ts
const restarts = Number(process.env["RESTARTS"] ?? 50)
const devices = Number(process.env["RESTART_DEVICES"] ?? 32)
const firstBytes = Number(process.env["RESTART_MIB"] ?? 24) * 1024 * 1024
const script = new URL("./testing/poll-devices.ts", import.meta.url)

/** The heads of both streams, of each device. */
type Heads = readonly (readonly number[])[]

interface Running {
  readonly child: ChildProcess
  readonly lines: Interface
  readonly epochs: readonly string[]
  readonly heads: Heads
}

interface Place {
  readonly dir: string
  readonly stage: string
  bootId: number
}

async function start({ dir, stage, bootId }: Place, firstBytes = 0): Promise<Running> {
  const execArgv = ["--conditions=@serialcast/source", "--import", "tsx"]
  const args = [dir, stage, `boot-${bootId}`, String(devices), String(firstBytes)]
  const child = fork(script, args, { execArgv, stdio: ["ignore", "pipe", "inherit", "ipc"] })
  onTestFinished(() => void child.kill("SIGKILL"))
  const lines = createInterface({ input: child.stdout! })
  const [line] = (await once(lines, "line")) as [string]
  return { child, lines, ...(JSON.parse(line) as { epochs: string[]; heads: Heads }) }
}

/** Ends the process somewhere in the middle; answers what it told last. */
async function end(
  { child, lines, heads }: Running,
  signal: "SIGTERM" | "SIGKILL",
  random: SeededRandom,
): Promise<Heads> {
  let last = heads
  let left = 3 + Math.floor(random.next() * 30)
  const exited = once(child, "exit")
  const closed = once(lines, "close")
  lines.on("line", (line) => {
    const told = JSON.parse(line) as { what: string; heads: Heads }
    last = told.heads
    if (told.what === "shown" && --left === 0) child.kill(signal)
  })
  await Promise.all([exited, closed])
  return last
}

/** Every byte of an epoch that a power failure ended is there up to `offset`. */
interface Floor {
  readonly device: number
  readonly stream: StreamName
  readonly epoch: string
  readonly offset: number
}

/** What a power failure leaves: another boot, no memory, and of what was written last some is not there, or is zeros. */
async function failPower(place: Place, epochs: readonly string[], random: SeededRandom): Promise<Floor[]> {
  place.bootId++
  await rm(place.stage, { recursive: true })
  const floors: Floor[] = []
  for (const [device, epoch] of epochs.entries()) {
    const folder = join(place.dir, `d${device}`, epoch)
    for (const stream of streamNames) {
      const offset = await damageTail(folder, stream, random)
      floors.push({ device, stream, epoch, offset })
    }
  }
  return floors
}

/** Reads journals on from where it stood in them: what was read once is not read again. */
class Reader {
  readonly #spans = new Map<string, Span>()

  /** Up to where each epoch that it came to has no hole. Fails for a byte that is not the device's. */
  async readOn(journal: DiskJournal, device: number, stream: StreamName): Promise<Map<string, number>> {
    const key = `${stream} of d${device}`
    const last = this.#spans.get(key)
    const from: StartPoint = last === undefined ? { kind: "start" } : cursorOf(last.epoch, last.to)
    const { spans } = await readThrough(journal, { stream, from })
    const whole = new Map<string, number>()
    for (const span of last === undefined ? spans : [last, ...spans])
      if (span.from === (whole.get(span.epoch) ?? 0)) whole.set(span.epoch, span.to)
    const { epoch } = journal
    this.#spans.set(key, { epoch, from: 0, to: whole.get(epoch) ?? 0 })
    return whole
  }
}

interface Expected {
  readonly epochs: readonly string[]
  readonly heads: Heads
  readonly floors: readonly Floor[]
}

/** Every byte that was shown is there, but for what power failures took. */
async function check(place: Place, reader: Reader, { epochs, heads, floors }: Expected, message: string) {
  for (let device = 0; device < devices; device++) {
    const journal = await openTestJournal({
      dir: join(place.dir, `d${device}`),
      stage: join(place.stage, `d${device}`),
      bootId: `boot-${place.bootId}`,
      clock: systemClock,
    })
    expect(journal.epoch, message).toBe(epochs[device])
    for (const [at, stream] of streamNames.entries()) {
      const head = journal.head(stream).offset
      expect(head, message).toBeGreaterThanOrEqual(heads[device]?.[at] ?? 0)
      const whole = await reader.readOn(journal, device, stream)
      expect(whole.get(journal.epoch) ?? 0, message).toBe(head)
      for (const floor of floors.filter((other) => other.device === device && other.stream === stream))
        expect(whole.get(floor.epoch) ?? 0, message).toBeGreaterThanOrEqual(floor.offset)
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
  const reader = new Reader()
  const allFloors: Floor[] = []
  let floors: Floor[] = []
  let running = await start(place, firstBytes)
  for (let round = 0; round < restarts; round++) {
    const how = (["SIGTERM", "SIGKILL", "power"] as const)[Math.floor(random.next() * 3)] ?? "SIGTERM"
    const message = `seed ${random.seed}, restart ${round} by ${how}`
    const before = running
    const heads = await end(running, how === "SIGTERM" ? "SIGTERM" : "SIGKILL", random)
    if (how === "power") {
      const ended = await failPower(place, before.epochs, random)
      allFloors.push(...ended)
      floors.push(...ended)
    }
    // Else the next process is the first that looks.
    else if (random.next() < 0.5) {
      await check(place, reader, { epochs: before.epochs, heads, floors }, message)
      floors = []
    }
    running = await start(place)
    for (const [device, epoch] of running.epochs.entries()) {
      if (how === "power") expect(epoch, message).not.toBe(before.epochs[device])
      else expect(epoch, message).toBe(before.epochs[device])
      for (const [at, head] of (running.heads[device] ?? []).entries())
        if (how !== "power") expect(head, message).toBeGreaterThanOrEqual(heads[device]?.[at] ?? 0)
    }
  }
  const heads = await end(running, "SIGTERM", random)
  const message = `seed ${random.seed}, at the end`
  await check(place, reader, { epochs: running.epochs, heads, floors }, message)
  // And what was read at some time is there still, from the first byte of the first epoch on: no budget is used up.
  await check(place, new Reader(), { epochs: running.epochs, heads, floors: allFloors }, message)
}, 1_800_000)
