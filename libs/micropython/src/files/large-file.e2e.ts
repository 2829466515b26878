import { seededRandom } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { GenuineBoard } from "../testing/genuine-board.ts"
import { boardKinds, readFile, sourceOf, takeGenuine } from "../testing/test-boards.ts"

const sizeBytes = 1024 * 1024

test.each(boardKinds)("a board $title has a megabyte as it was", async ({ options, taken }) => {
  const random = seededRandom()
  await using genuine = await GenuineBoard.start(options)
  const board = await takeGenuine(genuine, taken)
  const droppedBytes = genuine.droppedBytes
  const data = random.bytes(sizeBytes)
  await board.files.put("/tmp/large", sourceOf(data))
  const got = await readFile(board, "/tmp/large")
  expect(Buffer.from(got).equals(data), `seed ${random.seed}`).toBe(true)
  expect(genuine.droppedBytes).toBe(droppedBytes)
  await board.leave()
})
