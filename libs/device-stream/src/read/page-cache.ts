import { type Cursor, formatCursor, maxPayloadBytes, type StreamName } from "@serialcast/contract"
import { costAsObject } from "@serialcast/records"
import { type Page, serves } from "./page.ts"

interface KeptPage {
  readonly stream: StreamName
  readonly page: Page
  readonly costBytes: number
  wasTaken: boolean
}

/** Pages that readers of this process may want again, bounded in bytes: the one that nobody took for longest goes first. */
export class PageCache {
  readonly #capacityBytes: number
  /** By what they were asked for, in the order of their last taking. */
  readonly #pages = new Map<string, KeptPage>()
  #costBytes = 0
  #untaken = 0

  constructor(capacityBytes: number) {
    this.#capacityBytes = capacityBytes
  }

  /** Pages that nobody took yet. */
  get untaken(): number {
    return this.#untaken
  }

  /** A page that serves a reader at `cursor`. There are some dozens: looking at each costs less than an order would. */
  find(stream: StreamName, cursor: Cursor): Page | undefined {
    for (const kept of this.#pages.values())
      if (kept.stream === stream && serves(kept.page, cursor)) return kept.page
    return undefined
  }

  /** Takes the place of the page that was asked for at the same cursor. */
  add(stream: StreamName, page: Page): void {
    // Its bytes never change, but that nothing comes after them is true for a moment only.
    const lasting = { ...page, isLast: false }
    // They are views of the message that brought it, or of what was read for it, however few they are.
    const costBytes = page.records.reduce((sum, record) => sum + costAsObject(record), maxPayloadBytes)
    this.#remove(keyOf(stream, page))
    this.#pages.set(keyOf(stream, page), { stream, page: lasting, costBytes, wasTaken: false })
    this.#costBytes += costBytes
    this.#untaken++
    for (const oldest of this.#pages.keys()) {
      if (this.#costBytes <= this.#capacityBytes) return
      this.#remove(oldest)
    }
  }

  /** A reader gets this page, which may be one that is not kept. */
  markTaken(stream: StreamName, page: Page): void {
    const key = keyOf(stream, page)
    const kept = this.#pages.get(key)
    if (kept === undefined) return
    if (!kept.wasTaken) this.#untaken--
    kept.wasTaken = true
    this.#pages.delete(key)
    this.#pages.set(key, kept)
  }

  #remove(key: string): void {
    const kept = this.#pages.get(key)
    if (kept === undefined) return
    this.#pages.delete(key)
    this.#costBytes -= kept.costBytes
    if (!kept.wasTaken) this.#untaken--
  }
}

function keyOf(stream: StreamName, { asked }: Page): string {
  return `${stream} ${formatCursor(asked)}`
}
