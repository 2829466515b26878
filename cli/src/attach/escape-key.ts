import { UsageError } from "../command/usage-error.ts"

export interface EscapeKey {
  /** The byte that leaves; null: none does. */
  readonly byte: number | null
  /** As people call it, like Ctrl-]. */
  readonly label: string
}

/** Reads `^]` and the like, or `none`. Throws `UsageError`. */
export function parseEscapeKey(text: string): EscapeKey {
  if (text === "none") return { byte: null, label: "nothing" }
  // Caret notation: Ctrl takes the upper two of seven bits away, so @ to _ give 0 to 31.
  const key = /^\^([@-_a-z])$/.exec(text)?.[1]?.toUpperCase()
  if (key !== undefined) return { byte: key.charCodeAt(0) & 0x1f, label: `Ctrl-${key}` }
  throw new UsageError(`--escape: expected a key like ^] or ^A, or none; found ${JSON.stringify(text)}.`)
}
