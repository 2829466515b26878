import { expect, test } from "vitest"
import { keptForm } from "./kept-form.ts"

const text = (payload: string) => new TextEncoder().encode(payload)
const message = { qos: 2, payload: text("now") } as const
const will = { qos: 0, payload: text("gone") } as const
const none = { kind: undefined, message: undefined, will: undefined }

test("a stranger's message is kept as it is", () => {
  expect(keptForm({ ...none, message })).toBe(message)
  expect(keptForm(none)).toBeUndefined()
})

test("where a client has its will, that is kept, and an empty one clears the topic", () => {
  expect(keptForm({ ...none, message, will })).toBe(will)
  expect(keptForm({ ...none, will })).toBe(will)
  expect(keptForm({ ...none, message, will: { qos: 1, payload: text("") } })).toBeUndefined()
})

test.each([
  ["status", '{"online":false}'],
  ["availability", "offline"],
] as const)("of %s is kept that who says it is gone", (kind, payload) => {
  expect(keptForm({ kind, message, will })).toEqual({ qos: 1, payload: text(payload) })
  expect(keptForm({ ...none, kind })).toBeUndefined()
})

test.each(["resource", "resourceIndex"] as const)("a message of the kind %s is kept as it is", (kind) => {
  expect(keptForm({ ...none, kind, message })).toBe(message)
})

test.each(["state", "tunnels"] as const)("of %s nothing is kept", (kind) => {
  expect(keptForm({ kind, message, will: undefined })).toBeUndefined()
})
