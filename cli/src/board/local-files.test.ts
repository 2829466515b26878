import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { AppError } from "@serialcast/contract"
import { createTemporaryFolder } from "@serialcast/testkit"
import { beforeEach, describe, expect, onTestFinished, test } from "vitest"
import { findLocal, makeLocalFolder, walkLocal, writeLocal } from "./local-files.ts"

let here: string

beforeEach(() => {
  const folder = createTemporaryFolder()
  onTestFinished(() => folder[Symbol.dispose]())
  here = folder.path
})

async function* bytesOf(...texts: readonly (string | Error)[]): AsyncGenerator<Uint8Array, void, undefined> {
  for (const text of texts) {
    if (text instanceof Error) throw text
    yield new TextEncoder().encode(text)
  }
}

describe("a file that is written", () => {
  test("has its bytes, and how many is told", async () => {
    const told: number[] = []
    await writeLocal(join(here, "new"), bytesOf("one", "", "three"), (bytes) => told.push(bytes))
    expect(await readFile(join(here, "new"), "utf8")).toBe("onethree")
    expect(told).toEqual([3, 3, 8])
    expect(await readdir(here)).toEqual(["new"])
  })

  test("is the old one, and nothing lies beside it, when its bytes break off", async () => {
    const path = join(here, "kept")
    await writeFile(path, "old")
    const lost = new AppError("device_offline", "It was unplugged.")
    await expect(writeLocal(path, bytesOf("new", lost), () => {})).rejects.toBe(lost)
    expect(await readFile(path, "utf8")).toBe("old")
    expect(await readdir(here)).toEqual(["kept"])
  })

  test("has the permissions of the old one, and a link to it stays one", async () => {
    const path = join(here, "secret")
    await writeFile(path, "old")
    await chmod(path, 0o600)
    await symlink("secret", join(here, "link"))
    await writeLocal(join(here, "link"), bytesOf("new"), () => {})
    expect(await readFile(path, "utf8")).toBe("new")
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(await readdir(here)).toEqual(["link", "secret"])
  })

  test("may be written by two at once: each is whole, and one of them stays", async () => {
    const path = join(here, "both")
    const [one, two] = ["1", "2"].map((digit) => Array.from({ length: 50 }, () => digit.repeat(1_000)))
    await Promise.all([one, two].map((texts = []) => writeLocal(path, bytesOf(...texts), () => {})))
    expect(await readFile(path, "utf8")).toMatch(/^(1{50000}|2{50000})$/)
    expect(await readdir(here)).toEqual(["both"])
  })

  test("may be no file: then that is written to, and stays", async () => {
    await writeLocal("/dev/null", bytesOf("gone"), () => {})
    expect((await stat("/dev/null")).isCharacterDevice()).toBe(true)
  })

  test("is told with its own name when it cannot be", async () => {
    await expect(writeLocal(join(here, "no/file"), bytesOf("x"), () => {})).rejects.toMatchObject({
      code: "output_failed",
      message: `${here}/no/file cannot be written: ENOENT: no such file or directory.`,
    })
    await writeFile(join(here, "file"), "")
    await expect(makeLocalFolder(join(here, "file/below"))).rejects.toMatchObject({ code: "output_failed" })
  })
})

describe("what is here", () => {
  test("is walked by name, each folder before what is in it", async () => {
    await mkdir(join(here, "b"))
    await writeFile(join(here, "b/c"), "12345")
    await writeFile(join(here, "a"), "")
    const found = []
    for await (const one of walkLocal(here)) found.push({ ...one, path: one.path.slice(here.length) })
    expect(found).toEqual([
      { path: "/a", kind: "file", size: 0 },
      { path: "/b", kind: "directory", size: 0 },
      { path: "/b/c", kind: "file", size: 5 },
    ])
  })

  test("a link that leads back to where it is has no end, and is told", async () => {
    await mkdir(join(here, "a"))
    await symlink("..", join(here, "a/up"))
    await symlink("a", join(here, "same"))
    const walk = async () => {
      for await (const { path } of walkLocal(here)) expect(path).not.toContain("up/a")
    }
    await expect(walk()).rejects.toThrow("a/up is a link to a folder that it is in.")
  })

  test("and what is not, or is no file, is told", async () => {
    await expect(findLocal(join(here, "no"))).rejects.toThrow("no cannot be read: ENOENT: no such file")
    await expect(findLocal("/dev/null")).rejects.toThrow("neither a file nor a folder")
  })
})
