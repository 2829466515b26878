import type { TagCondition } from "../table/command.ts"

export interface EntityTag {
  readonly isWeak: boolean
  /** Without quotes. */
  readonly tag: string
}

/** RFC 9110 §8.8.3, in a list of §5.6.1, which may have empty elements. */
const listed = /[ \t]*(?:(W\/)?"([!#-~\u0080-\u00ff]*)"[ \t]*)?(?:,|$)/y

/** The entity tags of `If-Match` or `If-None-Match` (RFC 9110 §13.1.1, §13.1.2); undefined: it is no such header. */
export function parseEntityTags(header: string): readonly EntityTag[] | "*" | undefined {
  if (header.trim() === "*") return "*"
  const tags: EntityTag[] = []
  let at = 0
  while (at < header.length) {
    listed.lastIndex = at
    const next = listed.exec(header)
    if (next === null) return undefined
    const [, weak, tag] = next
    if (tag !== undefined) tags.push({ isWeak: weak !== undefined, tag })
    at = listed.lastIndex
  }
  return tags.length === 0 ? undefined : tags
}

/** What a tag must be one of for `If-Match`: by the strong comparison, which no weak tag passes (§8.8.3.2). */
export function strongCondition(tags: readonly EntityTag[] | "*" | undefined): TagCondition {
  if (tags === undefined || tags === "*") return tags ?? null
  return tags.filter(({ isWeak, tag }) => !isWeak && isAscii(tag)).map(({ tag }) => tag)
}

/** What a tag must be none of for `If-None-Match`: by the weak comparison, to which weak tags are as good (§8.8.3.2). */
export function weakCondition(tags: readonly EntityTag[] | "*" | undefined): TagCondition {
  if (tags === undefined || tags === "*") return tags ?? null
  return tags.filter(({ tag }) => isAscii(tag)).map(({ tag }) => tag)
}

/** Whether a condition, where there is one, has the tag. */
export function includesTag(condition: TagCondition, etag: string): boolean {
  return condition === "*" || condition?.includes(etag) === true
}

/** Other tags are none of a table's. */
function isAscii(tag: string): boolean {
  return /^[!-~]*$/.test(tag)
}
