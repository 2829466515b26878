import { fork } from "node:child_process"
import { once } from "node:events"
import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { expect, onTestFinished, test } from "vitest"
import { lockFolder } from "./lock-folder.ts"
import { createFolder, log } from "./test-journal.ts"

test("a folder is locked once, and again after its release", async () => {
  const dir = join(await createFolder(), "not", "there", "yet")
  const lock = await lockFolder(dir, { log })
  await expect(lockFolder(dir, { log })).rejects.toMatchObject({
    code: "open_failed",
    message: `${dir} is used by another agent: process ${process.pid}.`,
  })
  await lock[Symbol.asyncDispose]()
  await using again = await lockFolder(dir, { log })
  expect(again).toBeDefined()
})

test("a lock ends with its process, by kill -9 too", async () => {
  const dir = await createFolder()
  const holder = fork(new URL("./hold-lock.ts", import.meta.url), [dir], {
    execArgv: ["--conditions=@serialcast/source", "--import", "tsx"],
  })
  onTestFinished(() => void holder.kill("SIGKILL"))
  await once(holder, "message")
  await expect(lockFolder(dir, { log })).rejects.toThrow(`process ${holder.pid}`)
  const exited = once(holder, "exit")
  holder.kill("SIGKILL")
  await exited
  await using lock = await lockFolder(dir, { log })
  expect(lock).toBeDefined()
}, 30_000)

test("a folder that cannot be made is a clear refusal", async () => {
  const file = join(await createFolder(), "file")
  await writeFile(file, "")
  await expect(lockFolder(file, { log })).rejects.toMatchObject({ code: "open_failed" })
})

test("the lock file names its holder and nothing else, however often it was taken", async () => {
  const dir = await createFolder()
  for (let count = 0; count < 3; count++) await (await lockFolder(dir, { log }))[Symbol.asyncDispose]()
  expect(await readFile(join(dir, "journal.lock"), "utf8")).toBe(`process ${process.pid}\n`)
})
