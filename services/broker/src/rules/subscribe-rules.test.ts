import { expect, test } from "vitest"
import { maySubscribe } from "./subscribe-rules.ts"

test("shared subscriptions and endless filters are refused", () => {
  expect(maySubscribe("$share/group/topic", new Set())).toBe(false)
  expect(maySubscribe("a".repeat(1025), new Set())).toBe(false)
  expect(maySubscribe("#", new Set())).toBe(true)
  expect(maySubscribe("$SYS/#", new Set())).toBe(true)
})

test("a client may have a thousand filters, and renew them", () => {
  const held = new Set(Array.from({ length: 1000 }, (_, at) => `topic/${at}`))
  expect(maySubscribe("one/more", held)).toBe(false)
  expect(maySubscribe("topic/7", held)).toBe(true)
})
