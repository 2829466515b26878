import type { Remove } from "@serialcast/resources"
import { encodeMessage } from "./messages.ts"

export interface Removal {
  /** The client id of whoever says it. */
  readonly by: string
  readonly uri: string
  /** Wall time in milliseconds. */
  readonly atMs: number
}

/**
 * What a client that is no server says on the command topic to have a resource removed, with an empty message on its topic
 * afterwards. That one alone is taken for the echo of a removal that was less than a minute ago.
 */
export function encodeRemoval({ by, uri, atMs }: Removal): Uint8Array {
  const change: Remove = { kind: "remove", uri, recursive: false, ifMatch: null }
  const id = "1"
  // What a removal does not depend on.
  const rest = { seed: 0, maxUri: 0 }
  return encodeMessage({ kind: "change", by, id, command: { id, at: atMs, change, ...rest } })
}
