import { expect, onTestFinished, test, vi } from "vitest"
import { GenuineBoard } from "./genuine-board.ts"
import { takeGenuine } from "./test-boards.ts"

test("a board is not late for what this thread was about before it was asked", async () => {
  await using genuine = await GenuineBoard.start()
  const board = await takeGenuine(genuine)
  const now = performance.now.bind(performance)
  const later = vi.spyOn(performance, "now").mockImplementation(() => now() + 60_000)
  onTestFinished(() => later.mockRestore())
  expect((await board.exec("print(1)")).stderr).toBe("")
  await board.leave()
})
