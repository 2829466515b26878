import { createDeferred } from "@serialcast/primitives"
import { expect, test } from "vitest"
import { step } from "./step.js"

const words = { doing: "Compiling", done: "Compiled" }

test("what takes a while is told while it goes on, and its end", async () => {
  const lines: string[] = []
  const told = createDeferred<void>()
  const say = (line: string) => {
    lines.push(line)
    told.resolve()
  }
  await step(words, () => told.promise, say)
  expect(lines).toEqual(["Compiling …", expect.stringMatching(/^Compiled in \d+\.\d s\.$/)])
})

test("what is done at once is not told, nor the end of what failed", async () => {
  const lines: string[] = []
  const say = (line: string) => void lines.push(line)
  await step(words, async () => {}, say)
  await expect(step(words, () => Promise.reject(new Error("no")), say)).rejects.toThrow("no")
  expect(lines).toEqual([])
})
