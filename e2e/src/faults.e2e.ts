import { createHash } from "node:crypto"
import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { delay, systemClock } from "@serialcast/primitives"
import { eventually, type SeededRandom, seededRandom } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { type Consumer, createConsumer } from "./faults/consumer.ts"
import { startNumberedDevice } from "./faults/numbered-device.ts"
import { lineBytes } from "./faults/numbered-lines.ts"
import { type ProcessStack, startProcessStack } from "./faults/process-stack.ts"

// The long form: FAULT_SECONDS=600, and FAULT_SEED to repeat one.
const seconds = Number(process.env["FAULT_SECONDS"] ?? 30)
const seed = process.env["FAULT_SEED"]
const linesPerSecond = 12_500
const settleMs = 60_000

type Fault = (stack: ProcessStack, consumers: readonly Consumer[], random: SeededRandom) => Promise<void>

const pause = (random: SeededRandom, maxMs: number) => delay(systemClock, Math.floor(random.next() * maxMs))
const pick = <T>(random: SeededRandom, from: readonly T[]): T =>
  from[Math.floor(random.next() * from.length)]!

const say = (text: string) => process.stderr.write(`${text}\n`)

const killAgent: Fault = async ({ agent }, _, random) => {
  await agent.kill()
  await pause(random, 500)
  agent.start()
}

const otherFaults: readonly Fault[] = [
  async ({ broker }, _, random) => {
    await broker.kill()
    await pause(random, 1_500)
    broker.start()
  },
  async ({ network }) => network.cut(),
  async ({ network }, _, random) => {
    network.freeze()
    await pause(random, 3_000)
    network.thaw()
  },
  async (_, consumers, random) => pick(random, consumers).network.cut(),
  async (_, consumers, random) => {
    const { network } = pick(random, consumers)
    network.freeze()
    await pause(random, 2_000)
    network.thaw()
  },
  async (_, consumers, random) => {
    const consumer = pick(random, consumers)
    await consumer.kill()
    await pause(random, 2_000)
    consumer.start()
  },
]

interface Scenario {
  readonly journal: string
  readonly faults: readonly Fault[]
}

interface Outcome {
  readonly consumers: readonly Consumer[]
  readonly sent: number
  readonly folder: string
}

/** Lets a device send while one fault after the other happens, then waits until every consumer has come to the end. */
async function endure(
  { journal, faults }: Scenario,
  check: (outcome: Outcome) => Promise<void>,
): Promise<void> {
  const random = seededRandom(seed === undefined ? undefined : Number(seed))
  say(`seed ${random.seed}, ${seconds} s`)
  await using device = await startNumberedDevice(linesPerSecond)
  await using stack = await startProcessStack(device.path, journal)
  await using first = await createConsumer(stack.brokerPort)
  await using second = await createConsumer(stack.brokerPort)
  await using third = await createConsumer(stack.brokerPort)
  const consumers = [first, second, third]
  const failed = Promise.race([stack.failed, ...consumers.map((consumer) => consumer.failed)])
  for (const consumer of consumers) consumer.start()
  const enduring = (async () => {
    const endMs = performance.now() + seconds * 1_000
    while (performance.now() < endMs) {
      await pick(random, faults)(stack, consumers, random)
      await pause(random, 1_000)
    }
    const sent = await device.stop()
    await eventually(
      () => {
        for (const { lines } of consumers) expect(lines.next, `seed ${random.seed}`).toBe(sent)
      },
      { timeoutMs: settleMs, intervalMs: 100 },
    )
    await check({ consumers, sent, folder: stack.folder })
  })()
  await Promise.race([enduring, failed])
}

/** The device's bytes as they lie on disk. */
async function hashOfJournal(folder: string): Promise<string> {
  const device = join(folder, "journal", "local", "board")
  const epochs = (await readdir(device, { withFileTypes: true })).filter((entry) => entry.isDirectory())
  expect(epochs).toHaveLength(1)
  const epoch = join(device, epochs[0]!.name)
  const files = (await readdir(epoch)).filter((name) => /^rx-.*\.bytes$/.test(name)).sort()
  const hash = createHash("sha256")
  for (const file of files) hash.update(await readFile(join(epoch, file)))
  return hash.digest("hex")
}

test("whatever is killed, every consumer ends with exactly the bytes that the agent appended", {
  timeout: (seconds + 120) * 1_000,
}, async () => {
  const journal = "{ dir: journal, maxBytes: 1GiB }"
  await endure(
    { journal, faults: [killAgent, killAgent, ...otherFaults] },
    async ({ consumers, sent, folder }) => {
      const [heard, ...others] = consumers.map((consumer) => consumer.hash())
      expect(others).toEqual([heard, heard])
      // Readers are shown what is staged; the segment has it a little later, and less than a page of it within a minute.
      await eventually(async () => expect(await hashOfJournal(folder)).toBe(heard), { timeoutMs: 75_000 })
      for (const { lines, gaps } of consumers) {
        expect(gaps.filter(({ reason }) => reason === "evicted")).toEqual([])
        expect(lines.received + lines.missing).toBe(sent)
      }
      const [{ lines, gaps }] = consumers as [Consumer]
      say(`${sent} lines, ${lines.missing} of them unread over ${gaps.length} restarts of the agent`)
    },
  )
})

test("what retention dropped is a gap of exactly its size", {
  timeout: (seconds + 120) * 1_000,
}, async () => {
  const journal = "{ dir: journal, maxBytes: 1MiB }"
  await endure({ journal, faults: otherFaults }, async ({ consumers, sent }) => {
    for (const { offset, gaps, lines } of consumers) {
      expect(offset).toBe(sent * lineBytes)
      const evicted = gaps.reduce((sum, { bytes }) => sum + (bytes ?? Number.NaN), 0)
      // Whole lines are missing, and at the ends of each gap parts of two.
      expect(Math.abs(evicted - lines.missing * lineBytes)).toBeLessThanOrEqual(2 * lineBytes * gaps.length)
    }
    say(consumers.map(({ gaps }) => `${gaps.length} gaps`).join(", "))
  })
})
