import {
  appendFile,
  mkdir,
  mkdtemp,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { beforeEach, expect, onTestFinished, test } from "vitest"
import { makeFrom } from "./make-from.js"

let folder: string
let made = 0

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "serialcast-build-"))
  onTestFinished(() => rm(folder, { recursive: true }))
  await mkdir(join(folder, "src", "deep"), { recursive: true })
  await writeFile(join(folder, "src", "a.ts"), "a")
  await writeFile(join(folder, "src", "deep", "b.css"), "b")
  await writeFile(join(folder, "lock.json"), "1")
  made = 0
})

async function bundle() {
  made++
  await rm(join(folder, "out"), { recursive: true, force: true })
  await mkdir(join(folder, "out", "assets"), { recursive: true })
  await writeFile(join(folder, "out", "assets", "index.js"), await readFile(join(folder, "src", "a.ts")))
}

async function build({ make = bundle, setting = "" } = {}): Promise<number> {
  await makeFrom({ root: folder, inputs: ["src", "lock.json", "absent"], setting, out: "out", make })
  return made
}

const source = (name: string) => join(folder, "src", name)

test("is made once, and not again while nothing changed", async () => {
  expect(await build()).toBe(1)
  await utimes(source("a.ts"), 1, 1)
  expect(await build()).toBe(1)
})

test.each<[string, () => Promise<unknown>]>([
  ["a source that says something else, of the same size and age", () => replace(source("a.ts"), "x")],
  ["a source in a folder below", () => appendFile(source("deep/b.css"), "b")],
  ["a new source", () => writeFile(source("c.svg"), "")],
  ["a source that is gone", () => rm(source("deep/b.css"))],
  ["a source of another name", () => rename(source("deep/b.css"), source("deep/c.css"))],
  ["two sources whose contents were swapped", () => swap(source("a.ts"), source("deep/b.css"))],
  ["the lockfile", () => writeFile(join(folder, "lock.json"), "2")],
  ["an input that was not there before", () => writeFile(join(folder, "absent"), "")],
  ["an output that somebody changed", () => appendFile(join(folder, "out/assets/index.js"), "!")],
  ["an output that is gone", () => rm(join(folder, "out/assets/index.js"))],
  ["outputs that are gone", () => rm(join(folder, "out"), { recursive: true })],
])("%s makes it anew, once", async (_what, change) => {
  await build()
  await change()
  expect(await build()).toBe(2)
  expect(await build()).toBe(2)
})

test("another setting makes it anew", async () => {
  await build()
  expect(await build({ setting: "development" })).toBe(2)
  expect(await build({ setting: "development" })).toBe(2)
})

test("what failed in the middle is made anew the next time", async () => {
  await build()
  await writeFile(source("a.ts"), "new")
  const failing = async () => {
    await bundle()
    throw new Error("does not compile")
  }
  await expect(build({ make: failing })).rejects.toThrow("does not compile")
  expect(await build()).toBe(3)
})

test("a source that changes while it is made is not missed", async () => {
  const slow = async () => {
    await bundle()
    await writeFile(source("a.ts"), "newer")
  }
  await build({ make: slow })
  expect(await build()).toBe(2)
  expect(await readFile(join(folder, "out/assets/index.js"), "utf8")).toBe("newer")
})

test("a link that leads nowhere, as editors leave beside what they have open, is in nobody's way", async () => {
  await symlink("me@box.1234", source(".#a.ts"))
  expect(await build()).toBe(1)
  expect(await build()).toBe(1)
})

test("what programs leave beside the sources is no source", async () => {
  await build()
  for (const name of ["node_modules", "dist"]) {
    await mkdir(source(name))
    await writeFile(source(`${name}/x.js`), "")
  }
  await writeFile(source("tsconfig.tsbuildinfo"), "")
  expect(await build()).toBe(1)
})

/** Writes `text` and sets the time back, as tools that keep times do. */
async function replace(file: string, text: string): Promise<void> {
  const { mtime } = await stat(file)
  await writeFile(file, text)
  await utimes(file, mtime, mtime)
}

async function swap(one: string, other: string): Promise<void> {
  const [first, second] = await Promise.all([readFile(one), readFile(other)])
  await Promise.all([writeFile(one, second), writeFile(other, first)])
}
