import type { ComPortAnswer } from "@serialcast/rfc2217"
import { expect, test } from "vitest"
import { errorOf } from "../testing/error-of.ts"
import { QuestionQueue } from "./question-queue.ts"

const rate: ComPortAnswer = { kind: "baudRate", value: 9_600 }
const dtr: ComPortAnswer = { kind: "dtr", value: true }
const endsWithRate = (answers: readonly ComPortAnswer[]) => answers.at(-1)?.kind === "baudRate"

test("answers belong to the questions in the order in which they were asked", async () => {
  const queue = new QuestionQueue()
  queue.take(dtr)
  const [first, second] = [queue.add(endsWithRate), queue.add(endsWithRate)]
  for (const answer of [rate, dtr, rate, dtr]) queue.take(answer)
  await Promise.all([first.over, second.over])
  expect([first.answers, second.answers]).toEqual([[rate], [dtr, rate]])
  expect(queue.size).toBe(0)
})

test("a question that nobody waits for any more still takes its answers; one that is dropped does not", () => {
  const queue = new QuestionQueue()
  const [late, dropped, next] = [queue.add(endsWithRate), queue.add(endsWithRate), queue.add(endsWithRate)]
  queue.drop(dropped)
  for (const answer of [rate, dtr]) queue.take(answer)
  expect([late.answers, dropped.answers, next.answers]).toEqual([[rate], [], [dtr]])
  expect(queue.size).toBe(1)
})

test("the end rejects all that wait", async () => {
  const queue = new QuestionQueue()
  const question = queue.add(endsWithRate)
  queue.end(new Error("gone"))
  expect(await errorOf(question.over)).toEqual(new Error("gone"))
})
