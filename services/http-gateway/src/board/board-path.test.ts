import { expect, test } from "vitest"
import { boardPathOf } from "./board-path.ts"

test.each([
  [undefined, ".", true],
  [["a.py"], "a.py", false],
  [["lib", "a b.py"], "lib/a b.py", false],
  [["lib", ""], "lib", true],
  [["/"], "/", true],
  [["/lib", "a"], "/lib/a", false],
  [["/lib/"], "/lib", true],
  [["", "a"], "/a", false],
  ["one", "one", false],
])("the levels %j are %s", (levels, path, isFolder) => {
  expect(boardPathOf({ params: levels === undefined ? {} : { path: levels } })).toEqual({ path, isFolder })
})
