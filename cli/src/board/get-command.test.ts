import { createTemporaryFolder } from "@serialcast/testkit"
import { expect, onTestFinished, test } from "vitest"
import { fileEntry, folderEntry, memoryFiles } from "../testing/memory-files.ts"
import type { BoardPath } from "./board-path.ts"
import { planGet } from "./get-command.ts"
import { refuseSameTargets } from "./same-targets.ts"

const files = memoryFiles({
  ".": [fileEntry("a.py"), folderEntry("www")],
  www: [fileEntry("b"), folderEntry("img")],
  "www/img": [fileEntry("c")],
})
const file = (path: string): BoardPath => ({ path, kind: "file", size: 1 })
const folder = (path: string): BoardPath => ({ path, kind: "directory", size: 0 })

async function plan(found: readonly BoardPath[], to: string, recursive = true) {
  const { folder: made, items } = await planGet(files, found, { to, recursive })
  return [made, ...items.map(({ target }) => target)]
}

test.each([
  ["one file under a name", [file("a.py")], "copy.py", [null, "copy.py"]],
  ["one file to standard output", [file("a.py")], "-", [null, "-"]],
  ["one file into a folder that is made", [file("x/a.py")], "new/", ["new/", "new/a.py"]],
  ["several into a folder", [file("a.py"), file("/b.py")], "new", ["new", "new/a.py", "new/b.py"]],
  ["a folder", [folder("www")], ".", [".", "www", "www/b", "www/img", "www/img/c"]],
  [
    "the current folder",
    [folder(".")],
    "all",
    ["all", "all", "all/a.py", "all/www", "all/www/b", "all/www/img", "all/www/img/c"],
  ],
])("%s", async (_what, found, to, targets) => {
  expect(await plan(found, to)).toEqual(targets)
})

test("a file goes into a folder that is here", async () => {
  const here = createTemporaryFolder()
  onTestFinished(() => here[Symbol.dispose]())
  expect(await plan([file("a.py")], here.path)).toEqual([here.path, `${here.path}/a.py`])
})

test("a folder is copied only when that was said, and standard output takes one file", async () => {
  await expect(plan([folder("www")], ".", false)).rejects.toThrow("copy it with --recursive")
  await expect(plan([file("a.py"), file("b.py")], "-")).rejects.toThrow("expected one file")
  await expect(plan([folder("www")], "-")).rejects.toThrow("expected one file")
})

test("two files under one name are refused", () => {
  expect(() => refuseSameTargets([{ target: "a" }, { target: "b" }])).not.toThrow()
  expect(() => refuseSameTargets([{ target: "a" }, { target: "b" }, { target: "a" }])).toThrow("would be a:")
})
