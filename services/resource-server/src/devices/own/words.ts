import type { Cursor } from "@serialcast/contract"
import type { OwnLine } from "./own-line.ts"

/** What a line of a device asks for, and the place behind it. */
export interface Word {
  readonly line: Exclude<OwnLine, { kind: "bad" }>
  readonly cursor: Cursor
}

/** More than a device may have of resources: what it removes waits here too. */
const maxWaiting = 200

/** Words that wait for their turn, in the order of the lines; of each resource the newest one alone. */
export class Words {
  readonly #byUri = new Map<string, Word>()

  /** What became of those before: another one of the resource was `replaced`, or there is no room for it. */
  add(word: Word): "added" | "replaced" | "full" {
    const { uri } = word.line
    const isNew = !this.#byUri.delete(uri)
    if (isNew && this.#byUri.size >= maxWaiting) return "full"
    this.#byUri.set(uri, word)
    return isNew ? "added" : "replaced"
  }

  take(): Word | undefined {
    for (const [uri, word] of this.#byUri) {
      this.#byUri.delete(uri)
      return word
    }
    return undefined
  }

  /** It could not be done yet; a newer one of its resource takes its place. */
  putBack(word: Word): void {
    const { uri } = word.line
    if (!this.#byUri.has(uri)) this.#byUri.set(uri, word)
  }
}
