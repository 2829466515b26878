import { appendFile, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { createTopics } from "@serialcast/contract"
import { createDeferred } from "@serialcast/primitives"
import { createLogger } from "@serialcast/service-kit"
import { createTemporaryFolder, eventually, FakeClock } from "@serialcast/testkit"
import type { PublishPacket } from "aedes"
import { expect, onTestFinished, test } from "vitest"
import { RetainedBudget } from "../rules/retained-budget.ts"
import { createDisk, type Disk } from "./disk.ts"
import { openRetainedStore, type RetainedStore } from "./retained-store.ts"

const topics = createTopics("root")
const maxRetainedBytes = 6 * 1024 * 1024
// What a disk may take before it is away, and the longest time between two attempts.
const patienceMs = 5_000
const retryMs = 30_000

interface Started {
  readonly store: RetainedStore
  readonly clock: FakeClock
  readonly budget: RetainedBudget
  readonly lines: string[]
  /** How often the disk came back. */
  readonly back: () => number
}

function createDir(): string {
  const folder = createTemporaryFolder()
  onTestFinished(() => folder[Symbol.dispose]())
  return join(folder.path, "broker")
}

async function open(dir: string, disk?: Partial<Disk>): Promise<Started> {
  const clock = new FakeClock()
  const lines: string[] = []
  const log = createLogger({
    name: "test",
    level: "info",
    pretty: false,
    destination: { write: (line: string) => lines.push(line) },
  })
  const budget = new RetainedBudget(maxRetainedBytes)
  let backs = 0
  const store = await openRetainedStore(
    { dir, syncMs: 1_000, maxRetainedBytes },
    {
      rules: { topics, retained: budget },
      clock,
      log,
      disk: { ...createDisk(), ...disk },
      onBack: () => backs++,
    },
  )
  onTestFinished(() => store.close())
  return { store, clock, budget, lines, back: () => backs }
}

function message(topic: string, payload: string): PublishPacket {
  return { cmd: "publish", dup: false, retain: true, qos: 1, topic, payload: Buffer.from(payload) }
}

async function read(store: RetainedStore): Promise<Record<string, string>> {
  const packets: PublishPacket[] = await store.messages.asStore().createRetainedStream("#").toArray()
  return Object.fromEntries(packets.map(({ topic, payload }) => [topic, payload.toString()]))
}

/** What the next broker has, whether this one was closed or died: opened on a copy without its lock. */
async function readNext(dir: string): Promise<Record<string, string>> {
  for (;;) {
    const copy = createDir()
    await mkdir(copy, { recursive: true })
    try {
      for (const name of await readdir(dir))
        if (name.endsWith(".log")) await writeFile(join(copy, name), await readFile(join(dir, name)))
    } catch (error) {
      // A file that went while it was looked for has all that it had in the next one.
      if ((error as NodeJS.ErrnoException).code === "ENOENT") continue
      throw error
    }
    return await read((await open(copy)).store)
  }
}

test("what was put is there for the next broker, as its last value, and what was cleared is not", async () => {
  const dir = createDir()
  const { store } = await open(dir)
  expect(await store.put(message("home/lamp", "off"))).toBe(true)
  expect(await store.put(message("home/lamp", "on"))).toBe(true)
  await store.put(message("home/door", "open"))
  expect(await store.put(message("home/door", ""))).toBe(true)
  expect(await readNext(dir)).toEqual({ "home/lamp": "on" })
})

test("of the contract the next broker has only who is gone", async () => {
  const dir = createDir()
  const { store } = await open(dir)
  const said = {
    "root/gw/status": '{"online":true}',
    "root/gw/uno/availability": "online",
    "root/gw/uno/state": "{}",
    "root/_tunnels/one": "{}",
  }
  for (const [topic, payload] of Object.entries(said))
    expect(store.put(message(topic, payload))).toBeUndefined()
  expect(await read(store)).toEqual(said)
  await store.close()
  expect(await readNext(dir)).toEqual({
    "root/gw/status": '{"online":false}',
    "root/gw/uno/availability": "offline",
  })
})

test("the will of a client that is connected is what the next broker has, and no more when it is dropped", async () => {
  const dir = createDir()
  const { store } = await open(dir)
  const holder = {}
  store.holdWill(holder, message("bridge", "offline"))
  expect(await store.put(message("bridge", "online"))).toBe(true)
  expect(await read(store)).toEqual({ bridge: "online" })
  expect(await readNext(dir)).toEqual({ bridge: "offline" })
  store.dropWill(holder, "bridge")
  await store.put(message("other", "x"))
  expect(await readNext(dir)).toEqual({ bridge: "online", other: "x" })
})

test("the budget counts what was there at the start", async () => {
  const dir = createDir()
  const first = await open(dir)
  const [count, size] = [20, 150_000]
  for (let n = 0; n < count; n++) await first.store.put(message(`m/${n}`, "x".repeat(size)))
  await first.store.close()
  const { budget } = await open(dir)
  // About half of it is used.
  expect(budget.admit("more", maxRetainedBytes / 2 + 200_000, true)).toBe(false)
  expect(budget.admit("m/0", size * 2, false)).toBe(true)
  for (let n = 0; n < count; n++) expect(budget.admit(`m/${n}`, 0, false)).toBe(true)
  expect(budget.admit("more", maxRetainedBytes / 2 + 200_000, true)).toBe(true)
})

test("messages that are replaced for ever take bounded room, and one file is left", async () => {
  const dir = createDir()
  const { store } = await open(dir)
  await store.put(message("rare", "kept"))
  for (let n = 0; n < 300; n++) await store.put(message("often", `${n}`.padEnd(100_000)))
  await eventually(async () => {
    const files = (await readdir(dir)).filter((name) => name.endsWith(".log"))
    expect(files).toHaveLength(1)
    expect((await readFile(join(dir, files[0]!))).byteLength).toBeLessThan(5 * 1024 * 1024)
  })
  expect(await readNext(dir)).toEqual({ rare: "kept", often: "299".padEnd(100_000) })
})

test("a file whose end was not written is read up to there, and written anew", async () => {
  const dir = createDir()
  const first = await open(dir)
  await first.store.put(message("a", "1"))
  await first.store.close()
  await appendFile(join(dir, "retained-1.log"), Uint8Array.of(0, 0, 0, 200, 1, 2, 3))
  const second = await open(dir)
  expect(second.lines.join()).toContain("was not written whole")
  expect(await second.store.put(message("b", "2"))).toBe(true)
  expect(await readNext(dir)).toEqual({ a: "1", b: "2" })
})

test.each([
  ["in its middle", 30, { b: "2" }],
  ["in its first line", 3, { b: "2" }],
])(
  "a file that is damaged %s is set aside with a line, and what is good of it goes on",
  async (_name, at, kept) => {
    const dir = createDir()
    const first = await open(dir)
    for (const topic of ["x", "y", "z"]) await first.store.put(message(topic, "1"))
    await first.store.close()
    const damaged = await readFile(join(dir, "retained-1.log"))
    damaged[at]! ^= 0xff
    await writeFile(join(dir, "retained-1.log"), damaged)
    const second = await open(dir)
    expect(second.lines.filter((line) => line.includes("is damaged: it was set aside"))).toHaveLength(1)
    expect(await readFile(join(dir, "retained.damaged"))).toEqual(damaged)
    expect(await second.store.put(message("b", "2"))).toBe(true)
    expect(await readNext(dir)).toEqual(kept)
  },
)

test("what stands before the damage is taken over", async () => {
  const dir = createDir()
  const first = await open(dir)
  for (const topic of ["x", "y", "z"]) await first.store.put(message(topic, "1"))
  await first.store.close()
  const damaged = await readFile(join(dir, "retained-1.log"))
  damaged[damaged.byteLength - 1]! ^= 0xff
  await writeFile(join(dir, "retained-1.log"), damaged)
  const second = await open(dir)
  expect(await read(second.store)).toEqual({ x: "1", y: "1" })
})

test("a folder that is used is refused, in one sentence", async () => {
  const dir = createDir()
  await open(dir)
  await expect(open(dir)).rejects.toMatchObject({
    code: "retained_taken",
    message: `${dir} is used by another broker: process ${process.pid}.`,
  })
})

test("without a folder messages are in memory and not said to be kept; when it can be made, all are on the disk", async () => {
  const dir = createDir()
  await writeFile(dir, "a file in its place")
  const { store, clock, lines, back } = await open(dir)
  expect(lines).toEqual([expect.stringMatching(/EEXIST.*the disk takes no retained messages/)])
  expect(await store.put(message("a", "1"))).toBe(false)
  expect(store.put(message("root/gw/uno/availability", "online"))).toBeUndefined()
  expect(await read(store)).toEqual({ a: "1", "root/gw/uno/availability": "online" })
  expect(store.isAway).toBe(true)
  await rm(dir)
  await eventually(() => {
    clock.advance(retryMs)
    expect(back()).toBe(1)
  })
  expect(store.isAway).toBe(false)
  expect(lines).toHaveLength(2)
  expect(await store.put(message("b", "2"))).toBe(true)
  expect(await readNext(dir)).toEqual({ a: "1", b: "2", "root/gw/uno/availability": "offline" })
})

test("a disk that refuses some write has everything again when it takes it", async () => {
  const dir = createDir()
  let isFull = false
  const disk = createDisk()
  const append: Disk["append"] = async (file, bytes) => {
    if (!isFull) return await disk.append(file, bytes)
    // As a full disk does it: a part is there.
    await disk.append(file, bytes.subarray(0, bytes.byteLength / 2))
    throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" })
  }
  const { store, clock, back, lines } = await open(dir, { append })
  expect(await store.put(message("before", "1"))).toBe(true)
  isFull = true
  expect(await store.put(message("meanwhile", "2"))).toBe(false)
  expect(await store.put(message("before", ""))).toBe(false)
  for (let attempt = 0; attempt < 5; attempt++) await clock.advanceAsync(retryMs)
  expect(await readNext(dir)).toEqual({ before: "1" })
  // Attempts leave no files.
  await eventually(async () => expect(await readdir(dir)).toHaveLength(2))
  expect(lines.filter((line) => line.includes("ENOSPC"))).toHaveLength(1)
  isFull = false
  await eventually(() => {
    clock.advance(retryMs)
    expect(back()).toBe(1)
  })
  expect(await readNext(dir)).toEqual({ meanwhile: "2" })
})

test("a disk that hangs holds up nobody for longer than five seconds, and is not asked more before it answers", async () => {
  const dir = createDir()
  const hanging = createDeferred<void>()
  let hangs = 0
  const disk = createDisk()
  let isHanging = false
  const append: Disk["append"] = async (file, bytes) => {
    if (isHanging) hangs++
    if (isHanging) await hanging.promise
    await disk.append(file, bytes)
  }
  const { store, clock, back } = await open(dir, { append })
  isHanging = true
  const put = store.put(message("a", "1"))
  await eventually(() => {
    clock.advance(patienceMs)
    expect(store.isAway).toBe(true)
  })
  expect(await put).toBe(false)
  expect(await store.put(message("b", "2"))).toBe(false)
  for (let attempt = 0; attempt < 3; attempt++) clock.advance(retryMs)
  expect(hangs).toBe(1)
  isHanging = false
  hanging.resolve()
  await eventually(() => {
    clock.advance(retryMs)
    expect(back()).toBe(1)
  })
  expect(await readNext(dir)).toEqual({ a: "1", b: "2" })
})

test("what was written is put onto the medium after the time that is set, and nothing when nothing is new", async () => {
  let syncs = 0
  const disk = createDisk()
  const sync: Disk["sync"] = async (file) => {
    syncs++
    await disk.sync(file)
  }
  const { store, clock } = await open(createDir(), { sync })
  await store.put(message("a", "0"))
  // The first file is complete.
  await eventually(() => expect(syncs).toBe(1))
  clock.advance(1_000)
  await eventually(() => expect(syncs).toBe(2))
  await store.put(message("a", "1"))
  await store.put(message("a", "2"))
  clock.advance(999)
  expect(syncs).toBe(2)
  clock.advance(1)
  await eventually(() => expect(syncs).toBe(3))
  clock.advance(10_000)
  expect(syncs).toBe(3)
})

test("folders above are made", async () => {
  const dir = join(dirname(createDir()), "not", "there", "yet")
  const { store } = await open(dir)
  expect(await store.put(message("a", "1"))).toBe(true)
})
