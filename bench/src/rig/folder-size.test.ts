import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, onTestFinished, test } from "vitest"
import { folderSize } from "./folder-size.ts"

test("the files of all folders below count, by their length and by what they take", async () => {
  const folder = await mkdtemp(join(tmpdir(), "size-"))
  onTestFinished(() => rm(folder, { recursive: true }))
  await mkdir(join(folder, "a/b"), { recursive: true })
  await writeFile(join(folder, "a/b/one"), new Uint8Array(10_000).fill(1))
  await writeFile(join(folder, "two"), new Uint8Array(5))
  const { lengthBytes, diskBytes } = await folderSize(folder)
  expect(lengthBytes).toBe(10_005)
  expect(diskBytes).toBeGreaterThanOrEqual(lengthBytes)
})

test("a folder that is not there yet has no size", async () => {
  expect(await folderSize("/no/such/folder")).toEqual({ lengthBytes: 0, diskBytes: 0 })
})
