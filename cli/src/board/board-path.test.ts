import { describe, expect, test } from "vitest"
import { fileEntry, folderEntry, memoryFiles } from "../testing/memory-files.ts"
import { baseName, findPaths, joinPath, walkBoard } from "./board-path.ts"

test.each([
  [".", "a", "a"],
  ["/", "a", "/a"],
  ["lib", "a", "lib/a"],
  ["lib/", "a", "lib/a"],
  ["lib", "", "lib"],
])("%s and %s are %s", (folder, name, path) => {
  expect(joinPath(folder, name)).toBe(path)
})

test.each([
  ["a/b.py", "b.py"],
  ["lib/", "lib"],
  ["/", ""],
  [".", ""],
  ["..", ""],
  ["a/..", ""],
])("the copy of %s is named %j", (path, name) => {
  expect(baseName(path)).toBe(name)
})

describe("paths of a board", () => {
  const files = memoryFiles({
    ".": [
      fileEntry("a.py"),
      fileEntry("b.py"),
      fileEntry("a.txt"),
      fileEntry(".hidden.py"),
      folderEntry("lib"),
    ],
    lib: [fileEntry("c.py"), fileEntry("[1].py"), fileEntry("*")],
    "/": [fileEntry("root.py")],
  })
  const find = async (...patterns: string[]) => (await findPaths(files, patterns)).map(({ path }) => path)

  test.each([
    [["a.py"], ["a.py"]],
    [["*.py"], ["a.py", "b.py"]],
    [
      ["?.py", "a.*"],
      ["a.py", "b.py", "a.txt"],
    ],
    [["a.py", "a.py"], ["a.py"]],
    [["lib/[bc].py"], ["lib/c.py"]],
    [["lib/\\*"], ["lib/*"]],
    [["lib/\\[1\\].py"], ["lib/[1].py"]],
    [["/*"], ["/root.py"]],
    [["l*"], ["lib"]],
  ])("%j mean %j, each once", async (patterns, paths) => {
    expect(await find(...patterns)).toEqual(paths)
  })

  test.each(["nothing.py", "*.md", "!*.py", "{a,b}*.md", "@(a|b).p?"])(
    "%s means nothing",
    async (pattern) => {
      await expect(find("a.py", pattern)).rejects.toMatchObject({ code: "no_such_file" })
    },
  )

  test("a pattern in any but the last part is refused", async () => {
    await expect(find("*/c.*")).rejects.toThrow("only the last part may be a pattern")
  })
})

describe("a folder that is walked", () => {
  const walk = async (files: ReturnType<typeof memoryFiles>, folder: string) => {
    const paths: string[] = []
    for await (const { path } of walkBoard(files, folder)) paths.push(path)
    return paths
  }

  test("is told before what is in it", async () => {
    const files = memoryFiles({
      www: [fileEntry("a"), folderEntry("img"), fileEntry("z")],
      "www/img": [fileEntry("b")],
    })
    expect(await walk(files, "www")).toEqual(["www/a", "www/img", "www/img/b", "www/z"])
  })

  test.each(["../evil", "..", ".", "", "a/b", "/etc/passwd", "a\0b"])(
    "of a board that names a file %j gives nothing to this machine",
    async (name) => {
      const files = memoryFiles({ ".": [fileEntry("good"), fileEntry(name)] })
      await expect(walk(files, ".")).rejects.toMatchObject({ code: "board_error" })
      await expect(findPaths(files, ["*"])).rejects.toMatchObject({ code: "board_error" })
    },
  )

  test("without end is left", async () => {
    const files = { ...memoryFiles({}), list: async () => [folderEntry("again")] }
    await expect(walk(files, ".")).rejects.toMatchObject({ code: "board_error" })
  })

  test("that has two more in each is left before it fills the memory", async () => {
    const more = async (path: string) =>
      path.length > 60 ? [fileEntry("a")] : [folderEntry("a"), folderEntry("b")]
    const files = { ...memoryFiles({}), list: more }
    await expect(walk(files, ".")).rejects.toThrow("more than 20000")
  })
})
