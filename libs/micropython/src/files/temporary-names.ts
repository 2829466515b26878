import { createHash } from "node:crypto"
import { splitPath } from "./path-name.ts"

/**
 * Where a file is until it is whole, beside its target, so that a rename leads there. The names are made of the target's: a
 * later try finds what an earlier one left, and no two of them are left.
 */
export interface TemporaryNames {
  /** What has come of the file. */
  readonly part: string
  /** The file, whole and compared, which only has to take its place. */
  readonly whole: string
}

export function temporaryNames(path: string): TemporaryNames {
  const { folder, name } = splitPath(path)
  const digest = createHash("sha256").update(name).digest("hex").slice(0, 12)
  // Short, so that a name of the greatest length has one too.
  return { part: `${folder}.sc-${digest}.part`, whole: `${folder}.sc-${digest}.whole` }
}

/** Names of what has come of a file, which lists leave out. One that is whole may be all that there is of it, and is shown. */
export const isPart = /^\.sc-[0-9a-f]{12}\.part$/

/** The same of the name `n`, near enough, as a Python expression. */
export const partTest = "n[:4]=='.sc-' and n[-5:]=='.part' and len(n)==21"
