import { createHash } from "node:crypto"
import { constants } from "node:fs"
import { lstat, mkdir, readdir, readFile, realpath, rm, statfs } from "node:fs/promises"
import { join, resolve } from "node:path"
import { AppError } from "@serialcast/contract"
import type { Log } from "../log.ts"
import { noteName, tidyStages } from "./stage-orphans.ts"

/** `auto`: where the system has memory for it that outlives the process; `off`; or a folder. */
export type StageChoice = "auto" | "off" | { readonly folder: string }

const sharedMemory = "/dev/shm"
// statfs(2): TMPFS_MAGIC, RAMFS_MAGIC.
const memoryTypes: readonly number[] = [0x01021994, 0x858458f6]

export interface StageFolderDeps {
  /** Of the journals: each has stages of its own. */
  readonly folder: string
  readonly log: Log
}

export interface StageFolder {
  readonly path: string
  /** Resolves when those of journals that are no more are removed. Not to be waited for: another gateway's disk may hang. */
  readonly tidied: Promise<void>
}

/**
 * The folder of a gateway's stages, which only this user can write to; null: there is none, and every byte waits for the
 * disk before it is shown. `auto` takes `/dev/shm`, but not a container's own, which ends with the container.
 */
export async function chooseStageFolder(
  choice: StageChoice,
  { folder, log }: StageFolderDeps,
): Promise<StageFolder | null> {
  if (choice === "off" || process.platform !== "linux") return null
  if (choice === "auto" && !(await isSystems(sharedMemory))) return null
  const parent =
    choice === "auto" ? join(sharedMemory, `serialcast-${process.getuid?.() ?? 0}`) : choice.folder
  try {
    return await prepare(parent, folder)
  } catch (error) {
    // What was asked for by name is missed; what was a guess is not.
    const level = choice === "auto" ? "info" : "error"
    log[level](
      { folder: parent, reason: String(error) },
      "no stage: every byte waits for the disk before it is shown",
    )
    return null
  }
}

async function prepare(parent: string, folder: string): Promise<StageFolder> {
  await makeOwn(parent)
  const { type } = await statfs(parent)
  if (!memoryTypes.includes(type))
    throw new AppError("bad_config", `${parent} is on a disk, not in memory (tmpfs).`)
  const absolute = await realpath(folder).catch(() => resolve(folder))
  const own = join(parent, createHash("sha256").update(absolute).digest("hex").slice(0, 16))
  await makeOwn(own)
  return { path: own, tidied: tidyStages(own, absolute) }
}

/** The journals are closed: leaves nothing, unless a stage is still needed. */
export async function releaseStageFolder(own: string): Promise<void> {
  try {
    if ((await readdir(own)).every((name) => name === noteName)) await rm(own, { recursive: true })
  } catch {
    // The next agent that starts looks again.
  }
}

/** Others can write to the folder above: what is there already must be ours, or it could be read and forged. */
async function makeOwn(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 })
  const status = await lstat(path)
  const isOurs = status.isDirectory() && status.uid === process.getuid?.()
  if (isOurs && (status.mode & (constants.S_IWGRP | constants.S_IWOTH)) === 0) return
  throw new AppError("bad_config", `${path} belongs to somebody else, or others can write to it.`)
}

/** Container engines give each container memory of its own there, which they name `shm` (proc(5), mountinfo). */
async function isSystems(path: string): Promise<boolean> {
  try {
    const mounts = (await readFile("/proc/self/mountinfo", "utf8")).split("\n")
    const mount = mounts.findLast((line) => line.split(" ")[4] === path)
    const [type, source] = mount?.split(" - ")[1]?.split(" ") ?? []
    return type === "tmpfs" && source !== "shm"
  } catch {
    return false
  }
}
