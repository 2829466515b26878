import { expect, test } from "vitest"
import { createSendHistory } from "./send-history.ts"

test("older lines come newest first, and the draft comes back", () => {
  const history = createSendHistory({ capacity: 10 })
  history.add("one")
  history.add("two")
  expect([history.older("dra"), history.older("two"), history.older("one")]).toEqual([
    "two",
    "one",
    undefined,
  ])
  expect([history.newer(), history.newer(), history.newer()]).toEqual(["two", "dra", undefined])
})

test("empty lines and repeats are not kept", () => {
  const history = createSendHistory({ capacity: 10 })
  for (const line of ["one", "one", "", "two"]) history.add(line)
  expect([history.older(""), history.older(""), history.older("")]).toEqual(["two", "one", undefined])
})

test("the oldest line is forgotten beyond the capacity", () => {
  const history = createSendHistory({ capacity: 2 })
  for (const line of ["one", "two", "three"]) history.add(line)
  expect([history.older(""), history.older(""), history.older("")]).toEqual(["three", "two", undefined])
})
