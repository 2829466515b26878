import { join } from "node:path"
import { isMarkRecord, type StreamRecord } from "@serialcast/contract"
import { comparePositions, endOf, type Position } from "@serialcast/records"
import { countingBytes, seededRandom } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import { createFolder } from "../testing/test-journal.ts"
import { Stage, type StageHead } from "./stage.ts"
import { openStageMemory, type StageMemory } from "./stage-memory.ts"

const head: StageHead = {
  format: 1,
  epoch: "0123456789abcdef",
  stream: "rx",
  bootId: "boot-1",
  id: "0000000000000001",
  madeMs: 7,
}
const start: Position = { offset: 0, mark: 0 }

async function createMemory(): Promise<{ memory: StageMemory; path: string }> {
  const path = join(await createFolder(), "uno.rx")
  const memory = openStageMemory(path, "empty")
  onTestFinished(() => {
    try {
      memory.close()
    } catch {
      // The test did.
    }
  })
  return { memory, path }
}

const chunk = (offset: number, length: number): StreamRecord => ({
  offset,
  timeUs: 1_000 + offset,
  bytes: countingBytes(offset, length),
})

const filesAt = (position: Position) => ({
  position,
  start,
  dataBytes: position.offset,
  indexBytes: 10,
  lastUs: 5,
  opens: 3,
})

test("what was put is there for the next process, marks between bytes", async () => {
  const { memory, path } = await createMemory()
  const stage = Stage.create(memory, head)
  const records: StreamRecord[] = [
    { offset: 0, timeUs: 1, mark: { n: 0, kind: "opened", open: 4 } },
    { offset: 0, timeUs: 2, mark: { n: 1, kind: "closed", reason: "unplugged" } },
    chunk(0, 1_000),
    chunk(1_000, 16 * 1024),
    { offset: 17_384, timeUs: 9, mark: { n: 0, kind: "overrun" } },
  ]
  for (const record of records) expect(stage.put(record)).toBe(true)
  const found = Stage.resume(openStageMemory(path, "keep"))
  expect(found?.content).toEqual({ head, records, shown: start, files: null })
})

test("a process that goes on adds to it, time after time", async () => {
  const { memory, path } = await createMemory()
  let stage = Stage.create(memory, head)
  for (let offset = 0; offset < 5_000; offset += 100) {
    expect(stage.put(chunk(offset, 100))).toBe(true)
    stage.close()
    const found = Stage.resume(openStageMemory(path, "keep"))
    if (found === undefined) throw new Error("It is gone.")
    stage = found.stage
    expect(found.content.records).toHaveLength(offset / 100 + 1)
  }
  stage.discard()
  expect(() => openStageMemory(path, "keep")).toThrow("ENOENT")
})

test("it is full until the files have what is in it, and takes a few pages of memory while they keep up", async () => {
  const { memory } = await createMemory()
  const written: number[] = []
  const watched = {
    ...memory,
    write(bytes: Uint8Array, position: number) {
      written.push(position + bytes.byteLength)
      memory.write(bytes, position)
    },
  }
  const stage = Stage.create(watched, head, { fillBytes: 10_000 })
  let offset = 0
  for (; stage.put(chunk(offset, 900)); offset += 900);
  expect(offset).toBe(2 * 10 * 900)
  // Not before all that a fill has is in the files.
  stage.release(filesAt({ offset: 8_000, mark: 0 }))
  expect(stage.put(chunk(offset, 900))).toBe(false)
  stage.release(filesAt({ offset: 9_000, mark: 0 }))
  expect(stage.put(chunk(offset, 900))).toBe(true)
  for (let n = 0; n < 100; n++) {
    offset += 900
    stage.release(filesAt({ offset, mark: 0 }))
    if (n === 1) written.length = 0
    expect(stage.put(chunk(offset, 900))).toBe(true)
  }
  expect(new Set(written.filter((end) => end > 4_096)).size).toBeLessThanOrEqual(2)
})

test("what the files have, and what readers were shown, is told to the next process", async () => {
  const { memory, path } = await createMemory()
  const stage = Stage.create(memory, head)
  for (let n = 1; n <= 5; n++) {
    stage.release(filesAt({ offset: n * 1_000_000_000_000, mark: n }))
    expect(stage.tellShown({ offset: n * 1_000_000_000_000 + 7, mark: n })).toBe(true)
    const found = Stage.resume(openStageMemory(path, "keep"))
    expect(found?.content.files).toEqual(filesAt({ offset: n * 1_000_000_000_000, mark: n }))
    expect(found?.content.shown).toEqual({ offset: n * 1_000_000_000_000 + 7, mark: n })
  }
})

test("memory that is full refuses what has no room, and goes on when there is some", async () => {
  const { memory } = await createMemory()
  let isFull = false
  const stage = Stage.create(
    {
      ...memory,
      write(bytes, position) {
        if (isFull) throw Object.assign(new Error("ENOSPC"), { code: "ENOSPC" })
        memory.write(bytes, position)
      },
    },
    head,
  )
  expect(stage.put(chunk(0, 10))).toBe(true)
  isFull = true
  expect(stage.put(chunk(10, 10))).toBe(false)
  isFull = false
  expect(stage.put(chunk(10, 10))).toBe(true)
  // A slot that was not written may be half written: it is not relied on again.
  isFull = true
  expect(stage.tellShown({ offset: 20, mark: 0 })).toBe(false)
  isFull = false
  expect(stage.tellShown({ offset: 20, mark: 0 })).toBe(false)
  expect(stage.put(chunk(20, 10))).toBe(false)
})

test.each([
  ["nothing", new Uint8Array(0)],
  ["zeros", new Uint8Array(9_000)],
  ["another program's file", new TextEncoder().encode('{"format":1}\n'.repeat(400))],
])("%s is no stage", async (_what, content) => {
  const { memory, path } = await createMemory()
  memory.write(content, 0)
  expect(Stage.resume(openStageMemory(path, "keep"))).toBeUndefined()
})

test("wherever the process was killed, the next one finds all that was put, and nothing that was not", async () => {
  const random = seededRandom()
  for (let round = 0; round < 300; round++) {
    const { path } = await createMemory()
    const model = new StageModel(path, random.next)
    for (let step = 0; step < 60 && !model.isKilled; step++) model.step()
    const { found, possible } = model.resume()
    expect(possible, `seed ${random.seed}, round ${round}`).toContainEqual(found)
  }
})

/** A stage whose process may be killed within any write, and what was told of it. */
class StageModel {
  readonly #path: string
  readonly #random: () => number
  readonly #stage: Stage
  readonly #put: StreamRecord[] = []
  isKilled = false
  #trying: StreamRecord | null = null
  #head = start
  #kept = start

  constructor(path: string, random: () => number) {
    this.#path = path
    this.#random = random
    const memory = openStageMemory(path, "empty")
    const stage = Stage.create(memory, head, { fillBytes: 3_000 })
    stage.close()
    const killable = openStageMemory(path, "keep")
    const found = Stage.resume({
      ...killable,
      write: (bytes, position) => {
        if (this.isKilled) throw new Error("It is dead.")
        this.isKilled = random() < 0.02
        const length = this.isKilled ? Math.floor(random() * bytes.byteLength) : bytes.byteLength
        killable.write(bytes.subarray(0, length), position)
        if (this.isKilled) throw new Error("It was killed.")
      },
    })
    if (found === undefined) throw new Error("It is gone.")
    this.#stage = found.stage
  }

  step(): void {
    const choice = this.#random()
    if (choice < 0.25) return this.#release()
    const { offset, mark } = this.#head
    const record: StreamRecord =
      choice < 0.45
        ? { offset, timeUs: offset, mark: { n: mark, kind: "overrun" } }
        : chunk(offset, 1 + Math.floor(this.#random() ** 2 * 900))
    this.#trying = record
    if (this.#stage.put(record)) this.#put.push(record)
    if (this.isKilled) return
    // One that found no room goes to the disk by itself.
    this.#head = endOf(record)
    this.#trying = null
  }

  #release(): void {
    const at = Math.floor(this.#random() * (this.#put.length + 1))
    const end = at === 0 ? this.#kept : endOf(this.#put[at - 1] ?? chunk(0, 1))
    if (comparePositions(end, this.#kept) < 0) return
    this.#stage.release(filesAt(end))
    this.#kept = end
  }

  /** What the next process finds behind what is in the files, and what it may find. */
  resume(): { found: unknown[]; possible: unknown[][] } {
    const resumed = Stage.resume(openStageMemory(this.#path, "keep"))
    if (resumed === undefined) throw new Error("It is gone.")
    const { records, files } = resumed.content
    const isBehind = (record: StreamRecord) => comparePositions(endOf(record), files?.position ?? start) > 0
    const put = this.#put.filter(isBehind).map(plain)
    // The one that was being put may be there whole.
    const last = this.#trying === null ? [] : [plain(this.#trying)]
    return { found: records.filter(isBehind).map(plain), possible: [put, [...put, ...last]] }
  }
}

function plain(record: StreamRecord): unknown {
  return isMarkRecord(record) ? record : { ...record, bytes: [...record.bytes] }
}
