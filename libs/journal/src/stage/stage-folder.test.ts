import { chmod, mkdir, mkdtemp, readdir, rename, rm, stat, symlink, writeFile } from "node:fs/promises"
import { basename, join } from "node:path"
import { systemClock } from "@serialcast/primitives"
import { countingBytes, eventually } from "@serialcast/testkit"
import { describe, expect, onTestFinished, test } from "vitest"
import { openJournals } from "../journals.ts"
import { log } from "../testing/quiet-log.ts"
import { createFolder } from "../testing/test-journal.ts"
import { chooseStageFolder } from "./stage-folder.ts"

/** A folder in memory of this test's own. */
async function createMemoryFolder(): Promise<string> {
  const folder = await mkdtemp("/dev/shm/serialcast-test-")
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

async function chooseAndTidy(memory: string, folder: string): Promise<string | undefined> {
  const chosen = await chooseStageFolder({ folder: memory }, { folder, log })
  await chosen?.tidied
  return chosen?.path
}

describe("a folder for stages", () => {
  test("is one for each folder of journals, which only this user can look into", async () => {
    const [memory, one, other] = [await createMemoryFolder(), await createFolder(), await createFolder()]
    const choose = (folder: string) => chooseAndTidy(memory, folder)
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

  test("is removed with the next start once its journals are, but not while they are elsewhere", async () => {
    const [memory, here, removed] = [await createMemoryFolder(), await createFolder(), await createFolder()]
    const choose = (folder: string) => chooseAndTidy(memory, folder)
    // In a folder that another one was mounted over, or not mounted again.
    const mounted = join(await createFolder(), "usb")
    await mkdir(join(mounted, "journal"), { recursive: true })
    const chosen = [await choose(here), await choose(removed), await choose(join(mounted, "journal"))]
    await rm(removed, { recursive: true })
    await rename(mounted, `${mounted}-2`)
    await mkdir(mounted)
    const last = await choose(await createFolder())
    const wanted = [chosen[0], chosen[2], last].map((own) => basename(own ?? "")).sort()
    expect((await readdir(memory)).sort()).toEqual(wanted)
  })

  test("is used although it cannot be told what it is of", async () => {
    const [memory, folder] = [await createMemoryFolder(), await createFolder()]
    const file = join(folder, "file")
    await writeFile(file, "")
    expect(await chooseAndTidy(memory, join(file, "journal"))).toMatch(/[0-9a-f]{16}$/)
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
  // The folder, its note, and a stage of each stream.
  await eventually(async () => expect(await readdir(memory, { recursive: true })).toHaveLength(4))
  await journal.close()
  await journals.release()
  expect(await readdir(memory)).toEqual([])
})
