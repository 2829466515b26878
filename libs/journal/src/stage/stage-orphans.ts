import { readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises"
import { basename, dirname, join } from "node:path"

/** Which journals a folder of stages is of. */
interface FolderNote {
  /** Their folder, absolute. */
  readonly journals: string
  /** The folders above it, which say whether what is at their paths now is what was there: device and inode. */
  readonly above: Readonly<Record<string, string>>
}

export const noteName = "journals.json"
const removedSuffix = ".removed"

/**
 * Notes which journals the stages in `own` are of, and removes those beside it whose journals were removed: a process that is
 * killed leaves its own. Stages stay whose journals are elsewhere now, on a disk that is not mounted or out of another
 * container's sight, and all of which nothing is known. One after the other: a disk that hangs has one thread.
 */
export async function tidyStages(own: string, journals: string): Promise<void> {
  await writeNote(own, journals).catch(() => {
    // Without a note it is not removed, that is all.
  })
  const parent = dirname(own)
  const names = await readdir(parent).catch(() => [])
  for (const name of names) if (name !== basename(own)) await removeIfOrphaned(join(parent, name))
}

async function writeNote(own: string, journals: string): Promise<void> {
  const above: Record<string, string> = {}
  for (let path = dirname(journals); !(path in above); path = dirname(path))
    above[path] = await identify(path)
  // One that is there is of the same journals.
  await writeFile(join(own, noteName), `${JSON.stringify({ journals, above })}\n`, { flag: "wx" })
}

async function removeIfOrphaned(own: string): Promise<void> {
  try {
    const note = JSON.parse(await readFile(join(own, noteName), "utf8")) as FolderNote
    if (!(await wasRemoved(note))) return
    // Out of the way first: another agent may begin these journals anew just now, and its stage with them.
    const removed = own.endsWith(removedSuffix) ? own : `${own}${removedSuffix}`
    await rename(own, removed)
    if (await wasRemoved(note)) await rm(removed, { recursive: true })
    else await rename(removed, own)
  } catch {
    // It is not ours, is begun by another agent just now, or is removed by one.
  }
}

/** There are no such journals, in a folder that is still the one in which they were. */
async function wasRemoved({ journals, above }: FolderNote): Promise<boolean> {
  if (await isThere(journals)) return false
  for (let path = dirname(journals); ; path = dirname(path)) {
    if (await isThere(path)) return (await identify(path)) === above[path]
    if (path === dirname(path)) return false
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

async function identify(path: string): Promise<string> {
  const { dev, ino } = await stat(path, { bigint: true })
  return `${dev}:${ino}`
}
