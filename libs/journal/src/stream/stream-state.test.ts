import { createBackoff } from "@serialcast/primitives"
import { RecordRing } from "@serialcast/records"
import { atMs, countingBytes, seededRandom } from "@serialcast/testkit"
import { describe, expect, test } from "vitest"
import { ModelStream } from "../testing/model-stream.ts"
import { createPace } from "./stream-pace.ts"
import { StreamState } from "./stream-state.ts"

describe.each([
  ["with a stage", true],
  ["without one", false],
])(
  "%s, through disks that are slow, hang, refuse, lie and come back, kills and power failures",
  (_name, hasStage) => {
    test("no place that was shown is given away, nothing is lost untold, and readers wait for no disk", () => {
      const random = seededRandom()
      for (let history = 0; history < 6_000; history++) {
        const seed = Math.floor(random.next() * 2 ** 32)
        const stream = new ModelStream(seededRandom(seed).next, hasStage)
        try {
          for (let step = 0; step < 60; step++) stream.step()
          stream.settle()
        } catch (error) {
          throw new Error(`history of seed ${seed} (of ${random.seed}): ${String(error)}`, { cause: error })
        }
      }
      expect(random.seed).toBeGreaterThanOrEqual(0)
    }, 120_000)
  },
)

/** A stream of 100-byte chunks whose ring is small. */
function startStream() {
  const kept = { offset: 0, mark: 0 }
  const ring = new RecordRing(1_000, kept)
  const pace = {
    ...createPace("rx", 1024 * 1024),
    maxBatchBytes: 2_000,
    maxWaitingBytes: 20_000,
    maxWantedBytes: 5_000,
  }
  const state = new StreamState(
    { ring, kept, pace, backoff: createBackoff({ minMs: 1_000, maxMs: 1_000 }) },
    atMs(0),
  )
  const append = (count: number, isStaged = true) => {
    for (let n = 0; n < count; n++) {
      const { offset } = state.appended
      state.append({ offset, timeUs: 0, bytes: countingBytes(offset, 100) }, isStaged, atMs(0))
    }
  }
  return { ring, state, append }
}

test("what the disk is being given is in memory until it has it", () => {
  const { ring, state, append } = startStream()
  append(20)
  expect(state.takeBatch(atMs(250))?.to.offset).toBe(1_600)
  append(40)
  expect(ring.start.offset).toBe(0)
  state.wrote(atMs(251))
  expect([state.kept.offset, ring.start.offset]).toEqual([1_600, 1_600])
})

test("what a reader on its way wants stays in memory, up to a bound", () => {
  const { ring, state, append } = startStream()
  const keepAll = () => {
    state.flush()
    while (state.takeBatch(atMs(0)) !== null) state.wrote(atMs(0))
  }
  append(10)
  state.want({ offset: 200, mark: 0 })
  append(30)
  keepAll()
  expect(ring.start.offset).toBe(200)
  state.want({ offset: 3_000, mark: 0 })
  expect(ring.start.offset).toBe(3_000)
  append(60)
  keepAll()
  // It is too far behind.
  expect(ring.start.offset).toBeGreaterThan(9_000)
})
