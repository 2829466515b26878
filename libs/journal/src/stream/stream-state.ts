/*
 * One stream of a journal, without I/O: what became of each of its records.
 *
 *   appended   it has its place in the stream
 *   shown      readers may have it
 *   kept       it is in the journal's files: the kernel has it
 *   synced     the disk was made to keep it
 *   staged     it is in memory that outlives the process (Stage), as long as it is not kept
 *   lost       it was shown, and will never be kept: there was no room for it while the disk was away
 *
 * Each is a position that only moves on, and synced ≤ kept ≤ next ≤ appended, shown ≤ appended. From `kept` to `next` is
 * with the disk or lost, from `next` to `appended` waits in the ring.
 *
 *   disk      what happens                                      what it does
 *   -------   -----------------------------------------------   --------------------------------------------------------
 *   any       append, staged, all before it shown               shown
 *   idle      append                                            a batch is due after `gatherMs`; if all of it is staged,
 *                                                               after `batchMs`, or `trickleMs` when it is less than a
 *                                                               page; at once when a batch is full, or `flush` was called
 *   idle      a batch is due                                    → writing it, `next` behind it
 *   writing   wrote                                             → idle; kept up to the batch's end, so shown
 *   writing   refused                                           → resting; `next` is back at its start, unless it is lost
 *   resting   the pause is over                                 → idle
 *   any       something is not shown, and that for `hangMs`,    away: what is appended is shown without waiting for the
 *             or the disk took nothing for so long, or rests    disk, once `allowAhead`, or after `hangMs` more
 *   any       more waits than `maxWaitingBytes`                 the oldest of it is lost; away, and all is shown
 *   writing   wrote, and what waits is staged, or younger       not away any more
 *             than half of `hangMs`
 *
 * So a reader of live bytes waits for no disk, hanging or slow, longer than 2 × `hangMs`; nothing that waits is given up
 * but for want of room; and the port is never asked to wait.
 */
import { isMarkRecord, type StreamRecord } from "@serialcast/contract"
import type { Backoff, MonotonicMs } from "@serialcast/primitives"
import { comparePositions, endOf, type Position, type RecordRing } from "@serialcast/records"
import { AppendTimes } from "./append-times.ts"
import type { StreamPace } from "./stream-pace.ts"

/** Consecutive records for the disk. */
export interface Batch {
  readonly from: Position
  readonly to: Position
  readonly records: readonly StreamRecord[]
}

export interface StreamStateOptions {
  /** All that is appended, up to the stream's head, and at least from `kept` on. */
  readonly ring: RecordRing
  /** Where the files end. What the ring has behind it was shown by an earlier process, and is in its stage. */
  readonly kept: Position
  readonly pace: StreamPace
  /** How long a disk that refuses is left alone. */
  readonly backoff: Backoff
}

type Disk =
  | { readonly is: "idle" }
  | { readonly is: "writing"; readonly batch: Batch }
  | { readonly is: "resting"; readonly untilMs: number }

export class StreamState {
  readonly #ring: RecordRing
  readonly #pace: StreamPace
  readonly #backoff: Backoff
  #disk: Disk = { is: "idle" }
  #shown: Position
  #kept: Position
  #synced: Position
  #next: Position
  /** Where the first record that is neither staged nor kept starts; null: all that waits is staged. */
  #unstaged: { readonly from: Position; readonly to: Position } | null = null
  /** Since when something waits for a batch, in monotonic milliseconds; null: nothing waits. */
  #sinceMs: MonotonicMs | null
  /** Since when the disk has something to do, without progress; null: it has not. */
  #askedMs: MonotonicMs | null = null
  /** What must be kept soon. */
  #urgent: Position
  #isAheadAllowed = false
  /** Readers do not wait for the disk. */
  #isAway = false
  /** Something was lost since it is so. */
  #isOverrun = false
  readonly #appendTimes: AppendTimes
  /** The disk has not taken what is behind it. */
  #needed: Position
  /** A reader is on its way from here; null: none is. */
  #wanted: Position | null = null
  #lostBytes = 0

  constructor({ ring, kept, pace, backoff }: StreamStateOptions, nowMs: MonotonicMs) {
    this.#ring = ring
    this.#pace = pace
    this.#backoff = backoff
    this.#shown = ring.head
    this.#kept = kept
    this.#synced = kept
    this.#next = kept
    this.#urgent = kept
    this.#sinceMs = comparePositions(kept, ring.head) < 0 ? nowMs : null
    this.#appendTimes = new AppendTimes(pace.hangMs / 8)
    this.#needed = kept
    this.#hold()
  }

  /** Where the next record goes. */
  get appended(): Position {
    return this.#ring.head
  }

  get shown(): Position {
    return this.#shown
  }

  get kept(): Position {
    return this.#kept
  }

  get synced(): Position {
    return this.#synced
  }

  /** Of what was shown, so many bytes will never be kept. */
  get lostBytes(): number {
    return this.#lostBytes
  }

  /** Nothing waits for the disk. */
  get isKept(): boolean {
    return comparePositions(this.#kept, this.appended) === 0
  }

  /** A process that is killed now takes back nothing that was shown. */
  get isSafe(): boolean {
    return comparePositions(this.#shown, this.#safe) <= 0
  }

  /** Something is to be shown that a killed process would take back: it waits for `allowAhead`. */
  get wantsAhead(): boolean {
    return !this.#isAheadAllowed && this.#isAway && this.#isHidden
  }

  /** Nothing that a killed process would take back is shown any more, nor about to be. */
  get isSettled(): boolean {
    return this.isSafe && !this.#isAway
  }

  /** The next process will know that something was shown that it does not find; or not any more. */
  allowAhead(isAllowed: boolean, nowMs: MonotonicMs): void {
    this.#isAheadAllowed = isAllowed
    this.#show(nowMs)
  }

  /** `record` starts at `appended`. `isStaged`: the stage has it. */
  append(record: StreamRecord, isStaged: boolean, nowMs: MonotonicMs): void {
    const from = this.appended
    this.#ring.append(record)
    const to = this.appended
    this.#sinceMs ??= nowMs
    this.#appendTimes.add(from, nowMs)
    if (!isStaged) this.#unstaged = { from: this.#unstaged?.from ?? from, to }
    this.#makeRoom()
    if (this.#wanted !== null && this.#ring.costFrom(this.#wanted) > this.#pace.maxWantedBytes)
      this.want(null)
    this.#show(nowMs)
  }

  /** What comes from `position` on stays in the ring, as long as it is not more than `maxWantedBytes`; null: no more. */
  want(position: Position | null): void {
    this.#wanted = position
    this.#hold()
  }

  /** All that was appended until now is to be kept soon. */
  flush(): void {
    this.#urgent = this.appended
  }

  /** The stage is gone: what is not kept outlives no process now, and is to be kept soon. */
  dropStage(): void {
    if (!this.isKept) this.#unstaged = { from: this.#kept, to: this.appended }
    this.flush()
  }

  /** Time has passed. */
  tick(nowMs: MonotonicMs): void {
    if (this.#disk.is === "resting" && nowMs >= this.#disk.untilMs) this.#disk = { is: "idle" }
    this.#ask(nowMs)
    this.#show(nowMs)
  }

  /** What the disk is to write now; `wrote` or `refused` is to be called for it. Null: nothing. */
  takeBatch(nowMs: MonotonicMs): Batch | null {
    this.tick(nowMs)
    if (this.#disk.is !== "idle" || !this.#isDue(nowMs)) return null
    const from = this.#next
    const records = this.#ring.records(from, this.#pace.maxBatchBytes)
    const last = records.at(-1)
    if (last === undefined) return null
    const batch = { from, to: endOf(last), records }
    this.#next = batch.to
    this.#disk = { is: "writing", batch }
    return batch
  }

  /** The files have the batch that was taken. */
  wrote(nowMs: MonotonicMs): void {
    if (this.#disk.is !== "writing") return
    this.#kept = this.#disk.batch.to
    this.#disk = { is: "idle" }
    this.#backoff.reset()
    this.#sinceMs = comparePositions(this.#next, this.appended) < 0 ? nowMs : null
    this.#askedMs = null
    this.#ask(nowMs)
    this.#appendTimes.forget(this.#kept)
    if (this.#unstaged !== null && comparePositions(this.#kept, this.#unstaged.to) >= 0) this.#unstaged = null
    // What waits in the stage waits for more, and not for the disk.
    const isWaiting = this.#sinceMs !== null && this.#unstaged !== null
    if (!isWaiting || nowMs - this.#appendTimes.at(this.#next) < this.#pace.hangMs / 2) {
      this.#isAway = false
      this.#isOverrun = false
    }
    // What was lost in front of `next` needs no room any more.
    this.#needed = this.#kept
    this.#hold()
    this.#show(nowMs)
  }

  /** The disk does not take the batch that was taken, nor anything else for a while. */
  refused(nowMs: MonotonicMs): void {
    if (this.#disk.is !== "writing") return
    const { batch } = this.#disk
    if (comparePositions(this.#next, batch.to) === 0) this.#next = batch.from
    // There was no room for what came behind it, and so is none for it.
    else this.#lose(batch.records)
    this.#disk = { is: "resting", untilMs: nowMs + this.#backoff.next() }
    this.#makeRoom()
    this.#show(nowMs)
  }

  /** The disk was made to keep all up to `position`. */
  wasSynced(position: Position): void {
    if (comparePositions(position, this.#synced) > 0) this.#synced = position
  }

  /** When time alone changes something, in monotonic milliseconds; null: it does not. */
  wakeMs(nowMs: MonotonicMs): number | null {
    const times: number[] = []
    if (this.#disk.is === "resting") times.push(this.#disk.untilMs)
    const dueMs = this.#disk.is === "idle" ? this.#dueMs() : null
    if (dueMs !== null) times.push(dueMs)
    if (this.#isHidden) {
      const sinceMs = this.#appendTimes.at(this.#shown)
      const { hangMs } = this.#pace
      const awayMs = [sinceMs + hangMs, sinceMs + 2 * hangMs].find((ms) => ms > nowMs)
      if (awayMs !== undefined) times.push(awayMs)
    }
    return times.length === 0 ? null : Math.min(...times)
  }

  /** Up to here a killed process takes nothing back. */
  get #safe(): Position {
    const staged = this.#unstaged?.from ?? this.appended
    return comparePositions(this.#kept, staged) > 0 ? this.#kept : staged
  }

  get #isHidden(): boolean {
    return comparePositions(this.#shown, this.appended) < 0
  }

  #show(nowMs: MonotonicMs): void {
    const safe = this.#safe
    if (comparePositions(safe, this.#shown) > 0) this.#shown = safe
    if (!this.#isHidden) return
    const hiddenMs = nowMs - this.#appendTimes.at(this.#shown)
    const { hangMs } = this.#pace
    const isHanging = this.#askedMs !== null && nowMs - this.#askedMs >= hangMs
    const isStuck = this.#disk.is === "resting" || this.#isOverrun || isHanging
    this.#isAway ||= isStuck || hiddenMs >= hangMs
    const isAhead = this.#isAway && (this.#isAheadAllowed || this.#isOverrun || hiddenMs >= 2 * hangMs)
    if (isAhead) this.#shown = this.appended
  }

  #ask(nowMs: MonotonicMs): void {
    if (this.#isDue(nowMs)) this.#askedMs ??= nowMs
  }

  #isDue(nowMs: MonotonicMs): boolean {
    const dueMs = this.#dueMs()
    return dueMs !== null && nowMs >= dueMs
  }

  /** When the next batch is due, were the disk idle. */
  #dueMs(): number | null {
    if (this.#sinceMs === null || comparePositions(this.#next, this.appended) >= 0) return null
    if (comparePositions(this.#next, this.#urgent) < 0) return this.#sinceMs
    const { maxBatchBytes, pageBytes, gatherMs, trickleMs, batchMs } = this.#pace
    const waitingBytes = this.#ring.costFrom(this.#next)
    if (waitingBytes >= maxBatchBytes) return this.#sinceMs
    if (this.#unstaged !== null) return this.#sinceMs + gatherMs
    return this.#sinceMs + (waitingBytes < pageBytes ? trickleMs : batchMs)
  }

  /** The port must be read, and memory is bounded. */
  #makeRoom(): void {
    const { maxWaitingBytes } = this.#pace
    let excess = this.#ring.costFrom(this.#next) - maxWaitingBytes
    if (excess <= 0) return
    while (excess > 0) {
      const lost = this.#ring.records(this.#next, Math.min(excess, maxWaitingBytes))
      const last = lost.at(-1)
      if (last === undefined) break
      this.#lose(lost)
      this.#next = endOf(last)
      excess = this.#ring.costFrom(this.#next) - maxWaitingBytes
    }
    this.#isOverrun = true
    this.#needed = this.#next
    this.#hold()
  }

  #hold(): void {
    const isWantedFirst = this.#wanted !== null && comparePositions(this.#wanted, this.#needed) < 0
    this.#ring.hold(isWantedFirst ? this.#wanted : this.#needed)
  }

  #lose(records: readonly StreamRecord[]): void {
    for (const record of records) if (!isMarkRecord(record)) this.#lostBytes += record.bytes.byteLength
  }
}
