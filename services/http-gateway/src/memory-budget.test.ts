import { EventEmitter } from "node:events"
import type { ServerResponse } from "node:http"
import { expect, test } from "vitest"
import { createMemoryBudget } from "./memory-budget.ts"

const createResponse = () => new EventEmitter() as ServerResponse

test("what is reserved is bounded together, and an answered request makes room", () => {
  const reserve = createMemoryBudget(64)
  const responses = Array.from({ length: 8 }, createResponse)
  for (const response of responses) reserve(8, response)
  expect(() => reserve(1, createResponse())).toThrow(expect.objectContaining({ code: "overloaded" }))
  responses[0]?.emit("close")
  reserve(8, createResponse())
})
