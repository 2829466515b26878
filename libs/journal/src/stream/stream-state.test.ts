import { createBackoff } from "@serialcast/primitives"
import { RecordRing } from "@serialcast/records"
import { atMs, countingBytes, seededRandom } from "@serialcast/testkit"
import { describe, expect, test } from "vitest"
import { ModelStream } from "../testing/model-stream.ts"
import { createPace, type StreamPace } from "./stream-pace.ts"
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
function startStream(pace: Partial<StreamPace> = {}) {
  const kept = { offset: 0, mark: 0 }
  const ring = new RecordRing(1_000, kept)
  const fullPace = {
    ...createPace({ stream: "rx", segmentBytes: 1024 * 1024, syncMs: 5_000 }),
    maxBatchBytes: 2_000,
    maxWaitingBytes: 20_000,
    maxWantedBytes: 5_000,
    ...pace,
  }
  const state = new StreamState(
    { ring, kept, pace: fullPace, backoff: createBackoff({ minMs: 1_000, maxMs: 1_000 }) },
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

test("a trickle that the stage has goes to the disk once in a minute; a page of it, or what the stage has not, at once", () => {
  const due = (append: (start: ReturnType<typeof startStream>) => void) => {
    const stream = startStream({ maxBatchBytes: 10_000 })
    append(stream)
    return stream.state.wakeMs(atMs(0))
  }
  expect(due(({ append }) => append(10))).toBe(55_000)
  expect(due(({ append }) => append(50))).toBe(250)
  expect(due(({ append }) => append(100))).toBe(0)
  expect(due(({ append, state }) => (append(10), state.flush()))).toBe(0)
  expect(due(({ append }) => (append(9), append(1, false)))).toBe(0)
})

test("a trickle that waits in the stage is no sign of a disk that hangs", () => {
  const { state } = startStream()
  const append = (isStaged: boolean, ms: number) =>
    state.append({ offset: state.appended.offset, timeUs: 0, bytes: new Uint8Array(1) }, isStaged, atMs(ms))
  append(true, 0)
  append(false, 50_000)
  expect(state.shown.offset).toBe(1)
  expect(state.takeBatch(atMs(50_000))?.to.offset).toBe(2)
})

test("what only a stage had that is gone is not safe until it is kept, and is kept at once", () => {
  const { state, append } = startStream()
  append(5)
  expect([state.shown.offset, state.isSafe]).toEqual([500, true])
  state.dropStage()
  expect([state.isSafe, state.wakeMs(atMs(0))]).toEqual([false, 0])
  state.takeBatch(atMs(0))
  state.wrote(atMs(1))
  expect(state.isSafe).toBe(true)
})

test("a disk that came back is not away for as long as a trickle waits in the stage", () => {
  const { state } = startStream()
  const append = (isStaged: boolean, ms: number) =>
    state.append({ offset: state.appended.offset, timeUs: 0, bytes: new Uint8Array(1) }, isStaged, atMs(ms))
  state.allowAhead(true, atMs(0))
  append(false, 0)
  state.takeBatch(atMs(0))
  append(true, 100)
  state.tick(atMs(2_000))
  expect(state.isSettled).toBe(false)
  state.wrote(atMs(2_000))
  expect(state.isSettled).toBe(true)
})
