import { execFile, fork } from "node:child_process"
import { once } from "node:events"
import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"
import { systemClock } from "@serialcast/primitives"
import { createLogger } from "@serialcast/service-kit"
import { expect, onTestFinished, test } from "vitest"
import { log } from "../testing/quiet-log.ts"
import { createFolder } from "../testing/test-journal.ts"
import { lockFolder } from "./lock-folder.ts"

const deps = { clock: systemClock, log }

test("a folder is locked once, and again after its release", async () => {
  const dir = join(await createFolder(), "not", "there", "yet")
  const lock = await lockFolder(dir, deps)
  await expect(lockFolder(dir, deps)).rejects.toMatchObject({
    code: "journal_taken",
    message: `${dir} is used by another agent: process ${process.pid}.`,
  })
  await lock[Symbol.asyncDispose]()
  await using again = await lockFolder(dir, deps)
  expect(again).toBeDefined()
})

test("a lock ends with its process, by kill -9 too", async () => {
  const dir = await createFolder()
  const holder = fork(new URL("../testing/hold-lock.ts", import.meta.url), [dir], {
    execArgv: ["--conditions=@serialcast/source", "--import", "tsx"],
  })
  onTestFinished(() => void holder.kill("SIGKILL"))
  await once(holder, "message")
  await expect(lockFolder(dir, deps)).rejects.toThrow(`process ${holder.pid}`)
  const exited = once(holder, "exit")
  holder.kill("SIGKILL")
  await exited
  await using lock = await lockFolder(dir, deps)
  expect(lock).toBeDefined()
}, 30_000)

test("a folder that cannot be made is used unlocked, and the log says so", async () => {
  const file = join(await createFolder(), "file")
  await writeFile(file, "")
  const lines: string[] = []
  const destination = { write: (line: string) => lines.push(line) }
  const log = createLogger({ name: "test", level: "error", pretty: false, destination })
  await using lock = await lockFolder(file, { ...deps, log })
  expect(lock).toBeDefined()
  expect(lines).toEqual([expect.stringMatching(/EEXIST.*is not locked/)])
})

test("a disk without room for its holder's name is locked all the same", async ({ skip }) => {
  const dir = await createFolder()
  const mount = promisify(execFile)("mount", ["-t", "tmpfs", "-o", "size=4k,nr_inodes=8", "none", dir])
  await mount.catch(() => skip("only root can mount a small disk"))
  onTestFinished(() => promisify(execFile)("umount", ["-l", dir]).then(() => {}))
  await promisify(execFile)("dd", ["if=/dev/zero", `of=${join(dir, "all")}`, "bs=4k"]).catch(() => {})
  await using lock = await lockFolder(dir, deps)
  expect(lock).toBeDefined()
  await expect(lockFolder(dir, deps)).rejects.toMatchObject({ code: "journal_taken" })
})

test("the lock file names its holder and nothing else, however often it was taken", async () => {
  const dir = await createFolder()
  for (let count = 0; count < 3; count++) await (await lockFolder(dir, deps))[Symbol.asyncDispose]()
  expect(await readFile(join(dir, "journal.lock"), "utf8")).toBe(`process ${process.pid}\n`)
})
