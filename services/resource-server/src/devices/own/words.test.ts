import { expect, test } from "vitest"
import { type Word, Words } from "./words.ts"

const word = (uri: string, offset: number): Word => ({
  line: { kind: "remove", uri },
  cursor: { epoch: "00000000000000aa", offset, mark: 0 },
})

test("of each resource the newest word waits, in the order of the lines", () => {
  const words = new Words()
  const added = [word("/a", 1), word("/b", 2), word("/a", 3)].map((one) => words.add(one))
  expect(added).toEqual(["added", "added", "replaced"])
  expect([words.take(), words.take(), words.take()]).toEqual([word("/b", 2), word("/a", 3), undefined])
})

test("what could not be done is tried again, unless there is something newer", () => {
  const words = new Words()
  words.putBack(word("/a", 1))
  words.add(word("/b", 3))
  words.putBack(word("/b", 2))
  expect([words.take(), words.take(), words.take()]).toEqual([word("/a", 1), word("/b", 3), undefined])
})

test("no more than so many wait, whatever a device prints", () => {
  const words = new Words()
  const added = Array.from({ length: 1_000 }, (_, n) => words.add(word(`/${n}`, n)))
  expect(added.filter((one) => one === "added")).toHaveLength(200)
  expect(words.add(word("/7", 1_001))).toBe("replaced")
})
