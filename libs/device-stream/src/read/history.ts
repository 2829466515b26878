/*
 *   reader at a cursor ─→ kept page? ─→ page of its cell ─→ page from the cursor itself ─→ agent
 *                                        └─ shared by all who ask for it at the same time, a few at a time
 *   cells: | 0 … 60,000 | … 120,000 | …     the next ones are fetched while a reader takes one after the other
 */

import {
  AppError,
  type Cursor,
  formatCursor,
  formatStartPoint,
  type HistoryPage,
  maxChunkBytes,
  type StartPoint,
  type StreamName,
} from "@serialcast/contract"
import { Gate, shareRuns } from "@serialcast/primitives"
import { type Page, parsePage, serves } from "./page.ts"
import { PageCache } from "./page-cache.ts"

/** Pages of one device that are kept for other readers, and those fetched ahead, in bytes. */
const cacheBytes = 4 * 1024 * 1024
/** Requests of one device on their way at the same time: they hide the round trip, and leave room for other calls. */
const maxRequests = 4
/** Readers that stopped reading leave what was fetched for them; beyond so many pages nothing more is fetched ahead. */
const maxUntaken = 32

/** Asks the agent for at most `maxBytes` bytes from a start point on. */
export type AskPage = (stream: StreamName, from: string, maxBytes: number) => Promise<HistoryPage>

/**
 * The journal of one device, for all its readers in this process. Offsets are divided into cells of `cellBytes`, and
 * pages are asked for from the start of a cell, so that a thousand readers at a thousand cursors need one request for
 * each cell.
 */
export class History {
  readonly #ask: AskPage
  readonly #cellBytes: number
  readonly #asked = new Map<string, Promise<Page>>()
  readonly #pages = new PageCache(cacheBytes)
  readonly #turns = new Gate({ maxRunning: maxRequests })
  /** Where each stream ends. What came before a reader asked is not for it, so one on its way is not for whoever asks now. */
  readonly #heads: Readonly<Record<StreamName, () => Promise<Page>>>

  constructor(ask: AskPage, cellBytes: number = maxChunkBytes) {
    this.#ask = ask
    this.#cellBytes = cellBytes
    const headOf = (stream: StreamName) =>
      shareRuns(async () => parsePage(await ask(stream, formatStartPoint({ kind: "now" }), cellBytes)))
    this.#heads = { rx: headOf("rx"), tx: headOf("tx") }
  }

  /**
   * A page that goes on from `from`; it may begin before. Throws `no_reply` when the agent is away, `bad_cursor` when it
   * refuses `from`.
   */
  async page(stream: StreamName, from: StartPoint): Promise<Page> {
    if (from.kind === "cursor") return await this.#pageAt(stream, from.cursor)
    if (from.kind === "now") return await this.#heads[stream]()
    const text = formatStartPoint(from)
    return await this.#share(`${stream} ${text}`, async () =>
      parsePage(await this.#ask(stream, text, this.#cellBytes)),
    )
  }

  async #pageAt(stream: StreamName, cursor: Cursor): Promise<Page> {
    const start = { ...cursor, offset: cursor.offset - (cursor.offset % this.#cellBytes), mark: 0 }
    let page = this.#pages.find(stream, cursor) ?? (await this.#fetchCell(stream, start, cursor))
    // Marks take room in a page, and what was dropped or an epoch's end cuts it: it need not reach the cursor.
    if (!serves(page, cursor)) page = await this.#fetch(stream, cursor)
    this.#pages.markTaken(stream, page)
    const isOnTheWay = cursor.offset === start.offset && cursor.mark === 0
    if (isOnTheWay) this.#fetchAhead(stream, page)
    return page
  }

  /** The page of the cell that starts at `start`; where there is none, what is wrong is told of `cursor`, which was asked for. */
  async #fetchCell(stream: StreamName, start: Cursor, cursor: Cursor): Promise<Page> {
    try {
      return await this.#fetch(stream, start)
    } catch (error) {
      if (error instanceof AppError && error.code === "bad_cursor") return await this.#fetch(stream, cursor)
      throw error
    }
  }

  /** Fetches the cells after `page`, as far as they are full: others would be asked for again. */
  #fetchAhead(stream: StreamName, { next, head }: Page): void {
    if (next.epoch !== head.epoch || next.mark > 0 || next.offset % this.#cellBytes > 0) return
    for (let ahead = 0; ahead < maxRequests; ahead++) {
      const cell = { ...next, offset: next.offset + ahead * this.#cellBytes }
      if (cell.offset + this.#cellBytes > head.offset || this.#pages.untaken >= maxUntaken) return
      if (!this.#turns.hasFree) return
      // Whoever comes to need it asks again, and is told.
      this.#fetch(stream, cell).catch(() => {})
    }
  }

  /** The page that begins at `cursor`. */
  #fetch(stream: StreamName, cursor: Cursor): Promise<Page> {
    return this.#share(`${stream} ${formatCursor(cursor)}`, async () => {
      const kept = this.#pages.find(stream, cursor)
      if (kept !== undefined) return kept
      // What was asked for before its turn came may serve it too.
      return await this.#turns.run(
        async () => this.#pages.find(stream, cursor) ?? (await this.#request(stream, cursor)),
      )
    })
  }

  async #request(stream: StreamName, cursor: Cursor): Promise<Page> {
    try {
      const page = parsePage(await this.#ask(stream, formatCursor(cursor), this.#cellBytes), cursor)
      if (page.records.length > 0) this.#pages.add(stream, page)
      return page
    } catch (error) {
      // Those that wait would ask the same agent, and wait as long.
      if (error instanceof AppError && error.code === "no_reply") this.#turns.refuseWaiting(error)
      throw error
    }
  }

  #share(key: string, request: () => Promise<Page>): Promise<Page> {
    const asked = this.#asked.get(key)
    if (asked !== undefined) return asked
    const page = request().finally(() => this.#asked.delete(key))
    this.#asked.set(key, page)
    return page
  }
}
