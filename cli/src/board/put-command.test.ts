import { describe, expect, test } from "vitest"
import { fileEntry, folderEntry, memoryFiles } from "../testing/memory-files.ts"
import { type Found, planPut } from "./put-command.ts"

const files = memoryFiles({ ".": [folderEntry("lib"), fileEntry("old.py")], lib: [] })

async function* nothing(): AsyncGenerator<Uint8Array, void, undefined> {}

const file = (path: string): Found => ({ path, kind: "file", size: 1, bytes: nothing, below: [] })
const folder = (path: string, ...names: string[]): Found => ({
  path,
  kind: "directory",
  size: 0,
  bytes: nothing,
  below: names.map((name) => ({
    path: `${path}/${name.replace("/", "")}`,
    kind: name.endsWith("/") ? "directory" : "file",
    size: 1,
  })),
})

/** What is made, in order; folders with a slash. */
async function plan(found: readonly Found[], to?: string): Promise<string[]> {
  return (await planPut(files, found, to)).map(({ target, source }) =>
    source === null ? `${target}/` : target,
  )
}

describe("where files go on the board", () => {
  test.each([
    ["into the current folder", [file("x/a.py")], undefined, ["a.py"]],
    ["to a name", [file("x/a.py")], "b.py", ["b.py"]],
    ["over a file", [file("x/a.py")], "old.py", ["old.py"]],
    ["into a folder that is there", [file("x/a.py")], "lib", ["lib/", "lib/a.py"]],
    ["into one that is made", [file("x/a.py")], "/new/", ["/new/", "/new/a.py"]],
    ["to the root", [file("a.py")], "/", ["//", "/a.py"]],
    ["several into a folder", [file("a"), file("b")], "new", ["new/", "new/a", "new/b"]],
    ["a folder", [folder("x/www", "a", "img/")], undefined, ["www/", "www/a", "www/img/"]],
    ["a folder under a name", [folder("www", "a")], "site", ["site/", "site/a"]],
    ["a folder into one", [folder("www/", "a")], "lib", ["lib/", "lib/www/", "lib/www/a"]],
    ["what is in this folder", [folder(".", "a")], undefined, ["a"]],
    ["what is in the one above, to a folder", [folder("..", "a")], "lib/", ["lib/", "lib/", "lib/a"]],
  ])("%s", async (_what, found, to, targets) => {
    expect(await plan(found, to)).toEqual(targets)
  })
})
