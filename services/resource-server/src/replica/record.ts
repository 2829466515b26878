import { encodeResource, parseResource, type Resource } from "@serialcast/resources"

/** A resource with the number of the command that made it so: how a replica tells its kind's words from other people's. */
export interface ReplicaRecord {
  readonly resource: Resource
  readonly rev: number
}

/** A resource that was taken away, by the command of this number. */
export interface ReplicaRemoval {
  readonly gone: string
  readonly rev: number
}

/** The JSON of a resource's topic: what `encodeResource` writes, and `rev`. */
export function encodeRecord({ resource, rev }: ReplicaRecord): string {
  return `${encodeResource(resource).slice(0, -1)},"rev":${rev}}`
}

export interface ParsedRecord {
  readonly resource: Resource
  /** null: no replica wrote this, or somebody changed it. */
  readonly rev: number | null
}

/** Throws `bad_json`. */
export function parseRecord(text: string, uri: string, changedAt: number): ParsedRecord {
  const resource = parseResource(text, { uri, changedAt })
  const { etag, rev } = JSON.parse(text) as { readonly etag?: unknown; readonly rev?: unknown }
  const isOurs = etag === resource.etag && Number.isSafeInteger(rev) && (rev as number) > 0
  return { resource, rev: isOurs ? (rev as number) : null }
}

/** Whether all that a client can see of both is the same. */
export function looksAlike(one: Resource, other: Resource): boolean {
  return one.etag === other.etag && one.methods === other.methods && one.childMethods === other.childMethods
}

/** How a replica sends to another one what it knows: a line for each. */
export function encodeLine(known: ReplicaRecord | ReplicaRemoval): string {
  return "gone" in known ? JSON.stringify(known) : encodeRecord(known)
}

/** Throws `bad_json`. */
export function parseLine(line: string): ReplicaRecord | ReplicaRemoval {
  const { gone, rev: found } = JSON.parse(line) as { readonly gone?: unknown; readonly rev?: unknown }
  const rev = Number.isSafeInteger(found) ? (found as number) : 0
  return typeof gone === "string" ? { gone, rev } : { resource: parseResource(line), rev }
}
