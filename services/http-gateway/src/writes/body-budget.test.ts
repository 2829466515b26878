import { EventEmitter } from "node:events"
import type { IncomingMessage, ServerResponse } from "node:http"
import { expect, test } from "vitest"
import { createBodyBudget } from "./body-budget.ts"

const mebibyte = 1024 * 1024
const requestOf = (length?: number) =>
  ({ headers: length === undefined ? {} : { "content-length": String(length) } }) as IncomingMessage
const createResponse = () => new EventEmitter() as ServerResponse

test("bodies on their way are bounded together, and an answered one makes room", () => {
  const reserve = createBodyBudget(8 * mebibyte)
  const responses = Array.from({ length: 8 }, createResponse)
  for (const response of responses) reserve(requestOf(8 * mebibyte), response)
  expect(() => reserve(requestOf(1), createResponse())).toThrow(
    expect.objectContaining({ code: "overloaded" }),
  )
  responses[0]?.emit("close")
  reserve(requestOf(8 * mebibyte), createResponse())
})

test("a body that does not say its length counts as the largest, and a boast of more as no more", () => {
  const reserve = createBodyBudget(32 * mebibyte)
  reserve(requestOf(), createResponse())
  reserve(requestOf(Number.MAX_SAFE_INTEGER), createResponse())
  expect(() => reserve(requestOf(), createResponse())).toThrow(
    expect.objectContaining({ code: "overloaded" }),
  )
})
