import { AppError } from "@serialcast/contract"
import { expect, test } from "vitest"
import { Answers } from "./answers.ts"

test("an answer is remembered, also while it is not there yet, and a refusal like another", async () => {
  const answers = new Answers<number>()
  answers.add("a", Promise.resolve(1))
  answers.add("b", Promise.reject(new AppError("leased", "Somebody has it.")))
  expect(await answers.find("a")).toBe(1)
  await expect(answers.find("b")).rejects.toMatchObject({ code: "leased" })
  expect(answers.find("c")).toBeUndefined()
})

test("of thousands the oldest are forgotten", async () => {
  const answers = new Answers<number>()
  for (let n = 0; n < 5_000; n++) answers.add(`${n}`, Promise.resolve(n))
  await new Promise(setImmediate)
  expect([answers.find("0"), await answers.find("4999")]).toEqual([undefined, 4_999])
})

test("refusals are remembered without their call stacks; what nobody foresaw keeps it", async () => {
  const answers = new Answers<number>()
  const errors = [new AppError("leased", "Somebody has it."), new AppError("internal", "A fault.")]
  for (const error of errors) answers.add(error.code, Promise.reject(error))
  await new Promise(setImmediate)
  expect(errors.map(({ stack }) => stack?.includes("answers.test"))).toEqual([false, true])
  expect(errors[0]).toMatchObject({ code: "leased", message: "Somebody has it." })
})
