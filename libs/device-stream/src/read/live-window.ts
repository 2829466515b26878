import { isMarkRecord, type StreamMessage, type StreamRecord } from "@serialcast/contract"
import { after, comparePositions, endOf, joins, RecordRing, startOf } from "@serialcast/records"
import { LiveView } from "./live-view.ts"

/**
 * What came in live lately, without holes. A message that does not join on is never patched over: the window starts
 * anew with it, and readers that stand before it page the journal.
 */
export class LiveWindow {
  readonly #capacityBytes: number
  #view: LiveView | null = null

  constructor(capacityBytes: number) {
    this.#capacityBytes = capacityBytes
  }

  /** null until the first message. */
  get view(): LiveView | null {
    return this.#view
  }

  receive({ epoch, record }: StreamMessage): void {
    const view = this.#viewFor(epoch, record)
    if (!isMarkRecord(record) && record.bytes.byteLength === 0) {
      if (comparePositions(startOf(record), view.ring.head) === 0) view.setQuiet(record.timeUs)
      return
    }
    const rest = after(view.ring.head, record)
    if (rest === undefined) return
    view.append(rest)
  }

  /** The view that `record` goes on with: a new one unless it joins, or was had before, as an announced head is. */
  #viewFor(epoch: string, record: StreamRecord): LiveView {
    if (this.#view?.epoch === epoch) {
      const { head } = this.#view.ring
      if (comparePositions(endOf(record), head) <= 0 || joins(head, record)) return this.#view
    }
    this.#view = new LiveView(epoch, new RecordRing(this.#capacityBytes, startOf(record)))
    return this.#view
  }
}
