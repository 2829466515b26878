import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises"
import { basename, join } from "node:path"
import { systemClock } from "@serialcast/primitives"
import { countingBytes } from "@serialcast/testkit"
import { describe, expect, onTestFinished, test } from "vitest"
import { openJournals } from "../journals.ts"
import { log } from "../testing/quiet-log.ts"
import { createFolder } from "../testing/test-journal.ts"
import { chooseStageFolder } from "./stage-folder.ts"
import { noteName } from "./stage-orphans.ts"

/** A folder in memory of this test's own. */
async function createMemoryFolder(): Promise<string> {
  const folder = await mkdtemp("/dev/shm/serialcast-test-")
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

describe("a folder for stages", () => {
  test("is one for each folder of journals, which only this user can look into", async () => {
    const [memory, one, other] = [await createMemoryFolder(), await createFolder(), await createFolder()]
    const choose = (folder: string) => chooseStageFolder({ folder: memory }, { folder, log })
    const chosen = await choose(one)
    expect(chosen).toMatch(new RegExp(`^${memory}/[0-9a-f]{16}$`))
    expect((await stat(chosen ?? "")).mode & 0o777).toBe(0o700)
    expect(await choose(one)).toBe(chosen)
    expect(await choose(other)).not.toBe(chosen)
  })

  test("that is on a disk, that others can write to, or that leads elsewhere is not used", async () => {
    const [memory, folder] = [await createMemoryFolder(), await createFolder()]
    const choose = (stage: string) => chooseStageFolder({ folder: stage }, { folder, log })
    expect(await choose(join(folder, "stage"))).toBeNull()
    const open = join(memory, "open")
    await mkdir(open)
    await chmod(open, 0o777)
    expect(await choose(open)).toBeNull()
    const link = join(memory, "link")
    await symlink(await createMemoryFolder(), link)
    expect(await choose(link)).toBeNull()
  })

  test("is removed with the next start once its journals are, but not while their disk is away", async () => {
    const [memory, here] = [await createMemoryFolder(), await createFolder()]
    const choose = (folder: string) => chooseStageFolder({ folder: memory }, { folder, log })
    const [kept, gone, away] = [await choose(here), await choose(await createFolder()), join(memory, "away")]
    // On a file system that is not the one below its path.
    const journals = join(here, "usb", "journal")
    await mkdir(away)
    await writeFile(join(away, noteName), JSON.stringify({ journals, device: (await stat("/proc")).dev }))
    const removed = (JSON.parse(await readFile(join(gone ?? "", noteName), "utf8")) as { journals: string })
      .journals
    await rm(removed, { recursive: true })
    const last = await choose(await createFolder())
    const names = (await readdir(memory)).sort()
    expect(names).toEqual([kept, last, away].map((path) => basename(path ?? "")).sort())
  })

  test("is none when it is off", async () => {
    expect(await chooseStageFolder("off", { folder: await createFolder(), log })).toBeNull()
  })
})

test("journals that are closed in order leave nothing in it", async () => {
  const [memory, dir] = [await createMemoryFolder(), await createFolder()]
  const limits = { maxBytes: 1024 * 1024, maxAgeMs: null, syncMs: 1_000, stage: { folder: memory } }
  const journals = await openJournals(
    { gateway: "local", journal: { dir, ...limits } },
    { clock: systemClock, log: { ...log, child: () => log } },
  )
  const journal = await journals.open("uno")
  journal.append("rx", countingBytes(0, 100))
  expect(await readdir(memory, { recursive: true })).toHaveLength(4)
  await journal.close()
  await journals.release()
  expect(await readdir(memory)).toEqual([])
})
