import { readdir, readFile, rm, stat, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"

/** Which journals a folder of stages is of. */
interface FolderNote {
  /** Their folder, absolute. */
  readonly journals: string
  /** The file system that it is on (stat(2), st_dev). */
  readonly device: number
}

export const noteName = "journals.json"

/** To be called as soon as there is a folder of stages, and the journals' folder. */
export async function writeFolderNote(own: string, journals: string): Promise<void> {
  const note: FolderNote = { journals, device: await deviceOf(journals) }
  await writeFile(join(own, noteName), `${JSON.stringify(note)}\n`)
}

/**
 * Removes the folders of stages in `parent` whose journals were removed: a process that is killed leaves its own. Those
 * whose journals are on a disk that is not mounted now stay, and all of which nothing is known.
 */
export async function removeOrphans(parent: string): Promise<void> {
  const names = await readdir(parent).catch(() => [])
  await Promise.all(names.map((name) => removeOrphan(join(parent, name))))
}

async function removeOrphan(own: string): Promise<void> {
  try {
    const note = JSON.parse(await readFile(join(own, noteName), "utf8")) as Partial<FolderNote>
    if (typeof note.journals !== "string" || (await isThere(note.journals))) return
    if ((await deviceOf(note.journals)) === note.device) await rm(own, { recursive: true })
  } catch {
    // It is not ours, is begun by another agent just now, or is removed by one.
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    // Whatever else is wrong with it, it is not gone.
    return (error as NodeJS.ErrnoException).code !== "ENOENT"
  }
}

/** Of `path`, or else of where it would be. */
async function deviceOf(path: string): Promise<number> {
  try {
    return (await stat(path)).dev
  } catch (error) {
    const parent = dirname(path)
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" || parent === path) throw error
    return await deviceOf(parent)
  }
}
