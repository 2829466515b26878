import { atMs } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { codes, hello, syncCode } from "./codes.ts"
import { Farewell } from "./farewell.ts"

const question = syncCode("server", hello)
const [disconnect, another] = [codes.disconnect, codes.start]

test.each([
  [1, question, false],
  [2, question, false],
  [3, question, true],
  [4, question, false],
  [5, question, false],
  [1, another, false],
  [3, another, false],
])("%d disconnects, and then %d: whether it was an orderly end is %j", (disconnects, code, isOrderly) => {
  const farewell = new Farewell(question, atMs(100))
  expect(farewell.deadlineMs).toBe(600)
  for (let count = 1; count < disconnects; count++) expect(farewell.receive(disconnect)).toBeNull()
  expect(farewell.receive(code)).toBe(isOrderly)
})
