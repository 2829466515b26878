import type { Request } from "express"

/** What a path behind `…/files` means. */
export interface BoardPath {
  /** As the board has it: from its current folder, unless it begins with a slash (`%2F` in the URL). */
  readonly path: string
  /** It ended in a slash. */
  readonly isFolder: boolean
}

/** Express answers the decoded levels of a wildcard as an array. */
export function boardPathOf({ params }: Pick<Request, "params">): BoardPath {
  const levels = params["path"] ?? []
  const text = typeof levels === "string" ? levels : levels.join("/")
  const isFolder = text === "" || text.endsWith("/")
  return { path: text === "" ? "." : text.replace(/(.)\/+$/, "$1"), isFolder }
}
