import { parseRecord } from "./record.ts"
import type { Replica } from "./replica.ts"

export interface Published {
  readonly uri: string
  /** The JSON of a resource; empty: it is taken away. */
  readonly text: string
  readonly replica: Pick<Replica, "get" | "valueBytes">
  /** Of one value, and of all together, in bytes. */
  readonly limits: { readonly maxBody: number; readonly maxBytes: number }
}

/** Why there is no room for what somebody published, as a sentence; undefined: there is. Throws `bad_json`. */
export function whyTooLong({ uri, text, replica, limits }: Published): string | undefined {
  if (text === "") return undefined
  const { byteLength } = parseRecord(text, uri, 0).resource.value
  if (byteLength > limits.maxBody) return `Its value has ${byteLength} bytes, and may have ${limits.maxBody}.`
  const more = byteLength - (replica.get(uri)?.value.byteLength ?? 0)
  if (more <= 0 || replica.valueBytes + more <= limits.maxBytes) return undefined
  return `All values together may have ${limits.maxBytes} bytes.`
}
