import { seededRandom } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { takeBoard } from "../board/take-board.ts"
import { createBoardWire } from "../testing/board-wires.ts"
import { GenuineBoard } from "../testing/genuine-board.ts"
import { readFile, sourceOf } from "../testing/test-boards.ts"

const bytesPerSecond = 11_520
const sizeBytes = 30_000

const boards = [
  { title: "with raw-paste", options: {}, latencyMs: 4, putShare: 0.85 },
  { title: "without raw-paste", options: { rawPaste: "refused" as const }, latencyMs: 2, putShare: 0.85 },
  {
    title: "with a small input",
    options: { rawPaste: 32, ringBytes: 63 },
    latencyMs: 0.5,
    putShare: 0.7,
  },
]

// The time is that of the line: the board computes in none.
test.each(boards)(
  "a board $title takes and gives a file at nearly the rate of its line, and drops nothing",
  async ({ options, latencyMs, putShare }) => {
    const random = seededRandom()
    await using genuine = await GenuineBoard.start(options)
    const { wire, clock } = createBoardWire(genuine, { pace: { bytesPerSecond, latencyMs } })
    const board = await takeBoard(wire, { clock, signal: new AbortController().signal })
    await board.files.put("/tmp/first", sourceOf(random.bytes(10)))
    const dropped = genuine.droppedBytes
    const data = random.bytes(sizeBytes)
    const shareOf = async (work: () => Promise<unknown>) => {
      const beginMs = clock.monotonicMs()
      await work()
      return (1_000 * sizeBytes) / bytesPerSecond / (clock.monotonicMs() - beginMs)
    }
    const put = await shareOf(() => board.files.put("/tmp/file", sourceOf(data)))
    const get = await shareOf(async () => expect(await readFile(board, "/tmp/file")).toEqual(data))
    expect(put).toBeGreaterThan(putShare)
    expect(get).toBeGreaterThan(0.85)
    expect(genuine.droppedBytes).toBe(dropped)
    await board.leave()
  },
)
