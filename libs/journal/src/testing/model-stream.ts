/*
 *   append ─→ ModelStage (outlives a kill) ─→ StreamState ─→ ModelDisk (outlives a kill; a power failure in part)
 *                                                 └─→ shown: what readers may have
 *
 * A stream of a journal, whose process is killed and whose power fails time after time, with everything that anybody was
 * shown remembered: `check` fails when the rules of the journal are broken.
 */
import { isMarkRecord, type StreamRecord } from "@serialcast/contract"
import { createBackoff } from "@serialcast/primitives"
import { comparePositions, endOf, type Position, RecordRing, startOf } from "@serialcast/records"
import { atMs, countingBytes } from "@serialcast/testkit"
import { decide } from "../open/decide.ts"
import { StreamState } from "../stream/stream-state.ts"
import { ModelDisk, type Mood } from "./model-disk.ts"

const pace = {
  batchMs: 250,
  trickleMs: 3_000,
  pageBytes: 200,
  gatherMs: 1,
  maxBatchBytes: 700,
  maxWaitingBytes: 2_000,
  hangMs: 500,
  maxWantedBytes: 3_000,
}
const origin: Position = { offset: 0, mark: 0 }
const moods: readonly Mood[] = ["works", "works", "works", "slow", "hangs", "refuses", "lies"]
const stageRecords = 12

/** What of a stream outlives its process. */
interface Remains {
  epoch: number
  bootId: number
  /** null: there is no memory that outlives a process. */
  stage: { records: StreamRecord[]; shown: Position; kept: Position } | null
  /** What the disk's note says; null: it is gone. */
  note: { epoch: number; bootId: number; isClean: boolean; hasStage: boolean } | null
}

export class ModelStream {
  readonly #random: () => number
  readonly #disk = new ModelDisk()
  readonly #remains: Remains
  #ms = 0
  #state: StreamState
  #ring: RecordRing
  /** Of the epoch: what readers were shown before, in the life of earlier processes too. */
  #everShown = origin
  /** Bytes of the epoch that are told to be lost, by earlier processes too. */
  #lostBefore = 0
  #noteGoesAtMs: number | null = null
  /** Where what is not shown starts, and when it was appended. */
  #hidden: { from: Position; ms: number }[] = []

  constructor(random: () => number, hasStage: boolean) {
    this.#random = random
    const stage = hasStage ? { records: [], shown: origin, kept: origin } : null
    this.#remains = { epoch: 1, bootId: 1, stage, note: { epoch: 1, bootId: 1, isClean: false, hasStage } }
    this.#ring = new RecordRing(1_000, origin)
    this.#state = this.#createState(origin)
  }

  step(): void {
    const choice = this.#random()
    if (choice < 0.45) this.#append()
    else if (choice < 0.7) this.#pass(this.#random() < 0.8 ? this.#random() * 100 : this.#random() * 2_000)
    else if (choice < 0.85) this.#endWrite()
    else if (choice < 0.9) this.#disk.mood = moods[Math.floor(this.#random() * moods.length)] ?? "works"
    else if (choice < 0.93) this.#state.flush()
    else if (choice < 0.95) this.#sync()
    else if (choice < 0.98) this.#kill()
    else this.#failPower()
    this.#look()
    this.#check()
  }

  /** The disk comes back for good: all that is not lost must be kept then. */
  settle(): void {
    this.#disk.mood = "works"
    for (let turn = 0; turn < 10_000 && !this.#state.isKept; turn++) {
      this.#pass(1_000)
      this.#look()
      this.#endWrite()
      this.#check()
    }
    if (!this.#state.isKept) throw new Error("The disk works, and something is never kept.")
    if (comparePositions(this.#state.shown, this.#state.appended) !== 0)
      throw new Error("All is kept, and something is not shown.")
    const [onDisk, expected] = [bytesOf(this.#disk.kept), this.#state.appended.offset - this.#lost]
    // A disk that lied may have what it was told to be without.
    const isRight = this.#disk.hasLied ? onDisk >= expected : onDisk === expected
    if (!isRight) throw new Error(`${onDisk} bytes are on disk, and ${expected} should be.`)
  }

  get #now() {
    return atMs(this.#ms)
  }

  get #lost(): number {
    return this.#lostBefore + this.#state.lostBytes
  }

  #createState(kept: Position): StreamState {
    const backoff = createBackoff({ minMs: 1_000, maxMs: 30_000, random: this.#random })
    const state = new StreamState({ ring: this.#ring, kept, pace, backoff }, this.#now)
    state.allowAhead(this.#remains.stage !== null, this.#now)
    return state
  }

  #append(): void {
    const { offset, mark } = this.#state.appended
    const record: StreamRecord =
      this.#random() < 0.2
        ? { offset, timeUs: this.#ms, mark: { n: mark, kind: "overrun" } }
        : {
            offset,
            timeUs: this.#ms,
            bytes: countingBytes(offset, 1 + Math.floor(this.#random() ** 3 * 600)),
          }
    const { stage } = this.#remains
    const isStaged = stage !== null && stage.records.length < stageRecords
    if (isStaged) stage.records.push(record)
    this.#hidden.push({ from: this.#state.appended, ms: this.#ms })
    this.#state.append(record, isStaged, this.#now)
    if (stage !== null && !isStaged) this.#state.flush()
  }

  #pass(ms: number): void {
    this.#ms += ms
    this.#state.tick(this.#now)
  }

  #endWrite(): void {
    if (this.#disk.mood === "slow" && this.#random() < 0.7) return
    const outcome = this.#disk.end()
    if (outcome === "wrote") this.#state.wrote(this.#now)
    if (outcome === "refused") this.#state.refused(this.#now)
    const { stage } = this.#remains
    if (outcome !== "wrote" || stage === null) return
    stage.kept = this.#state.kept
    stage.records = stage.records.filter((record) => comparePositions(endOf(record), stage.kept) > 0)
  }

  #sync(): void {
    if (this.#disk.mood === "works") this.#disk.synced = this.#disk.kept.length
  }

  /** What the shell does after each event. */
  #look(): void {
    const { stage } = this.#remains
    if (stage === null) this.#lookAtNote()
    // Before anybody can read it.
    else if (!this.#state.isSafe) stage.shown = this.#state.shown
    if (!this.#disk.isBusy) {
      const batch = this.#state.takeBatch(this.#now)
      if (batch !== null) this.#disk.begin(batch)
    }
    if (comparePositions(this.#state.shown, this.#everShown) > 0) this.#everShown = this.#state.shown
  }

  #lookAtNote(): void {
    const { note } = this.#remains
    if (note !== null && (this.#state.wantsAhead || !this.#state.isSafe)) {
      // A disk that hangs takes its time for this as well.
      this.#noteGoesAtMs ??= this.#ms + (this.#disk.mood === "hangs" ? 5_000 : 0)
      if (this.#ms < this.#noteGoesAtMs) return
      this.#remains.note = null
      this.#state.allowAhead(true, this.#now)
    }
    if (this.#remains.note === null && this.#state.isSettled) {
      this.#state.allowAhead(false, this.#now)
      const { epoch, bootId } = this.#remains
      this.#remains.note = { epoch, bootId, isClean: false, hasStage: false }
    }
    this.#noteGoesAtMs = null
  }

  #kill(): void {
    this.#disk.kill(Math.floor(this.#random() * 5))
    this.#open()
  }

  #failPower(): void {
    this.#disk.failPower(Math.floor(this.#random() * 5))
    const { stage } = this.#remains
    if (stage !== null) this.#remains.stage = { records: [], shown: origin, kept: origin }
    this.#remains.bootId++
    this.#open()
  }

  /** The next process. */
  #open(): void {
    const remains = this.#remains
    const { stage, note } = remains
    // A stage of this boot names its epoch; after a power failure it is gone.
    const isStageOfBoot = note !== null && note.bootId === remains.bootId && note.hasStage
    const decision = decide({
      bootId: `boot-${remains.bootId}`,
      note:
        note === null
          ? null
          : {
              epoch: `${note.epoch}`,
              bootId: `boot-${note.bootId}`,
              isClean: note.isClean,
              stage: note.hasStage ? "1" : null,
              time: null,
            },
      newestEpoch: `${remains.epoch}`,
      stage:
        stage !== null && isStageOfBoot
          ? { epoch: `${remains.epoch}`, id: "1", madeMs: 0, hasFiles: true }
          : null,
    })
    // What the note cannot have told: the disk hung for its removal too. It is what a system without a stage may lose.
    const isUntold = stage === null && !this.#state.isSafe && note !== null
    this.#hidden = []
    if (decision.how === "anew" || isUntold) this.#beginAnew()
    else this.#goOn()
  }

  #goOn(): void {
    const { stage } = this.#remains
    const kept = stage === null ? this.#disk.head : later(stage.kept, this.#disk.head)
    const staged = (stage?.records ?? []).filter((record) => comparePositions(endOf(record), kept) > 0)
    const run = lastRun(staged)
    const shown = later(stage?.shown ?? origin, staged.map(endOf).at(-1) ?? kept)
    // What stands in front of a hole goes to the files by itself.
    for (const record of staged.slice(0, staged.length - run.length)) this.#disk.kept.push(record)
    const [first] = run
    const isAtHead = first !== undefined && comparePositions(endOf(run.at(-1) ?? first), shown) === 0
    if (!isAtHead) for (const record of run) this.#disk.kept.push(record)
    this.#ring = new RecordRing(1_000, isAtHead ? startOf(first) : shown)
    this.#ring.hold(this.#ring.start)
    if (isAtHead) for (const record of run) this.#ring.append(record)
    this.#state = this.#createState(this.#ring.start)
    // A hole is as large as what is neither on the disk nor in the stage.
    this.#lostBefore = this.#state.appended.offset - bytesOf(this.#disk.kept) - (isAtHead ? bytesOf(run) : 0)
    if (comparePositions(this.#state.appended, this.#everShown) < 0)
      throw new Error(
        `Shown up to ${text(this.#everShown)}, and gone on with at ${text(this.#state.appended)}.`,
      )
  }

  #beginAnew(): void {
    const remains = this.#remains
    remains.epoch++
    remains.note = {
      epoch: remains.epoch,
      bootId: remains.bootId,
      isClean: false,
      hasStage: remains.stage !== null,
    }
    if (remains.stage !== null) remains.stage = { records: [], shown: origin, kept: origin }
    this.#disk.kept.length = 0
    this.#disk.synced = 0
    this.#everShown = origin
    this.#lostBefore = 0
    this.#ring = new RecordRing(1_000, origin)
    this.#state = this.#createState(origin)
  }

  #check(): void {
    const { appended, shown, kept, synced } = this.#state
    if (comparePositions(shown, appended) > 0) throw new Error("More is shown than was appended.")
    if (comparePositions(kept, appended) > 0) throw new Error("More is kept than was appended.")
    if (comparePositions(synced, kept) > 0) throw new Error("More is synced than is kept.")
    const waiting = this.#ring.costFrom(kept)
    // What a stage had counts from the next record on.
    const inStage = this.#remains.stage === null ? 0 : stageRecords * 700
    if (waiting > pace.maxWaitingBytes + pace.maxBatchBytes + inStage + 1_000)
      throw new Error(`${waiting} bytes wait.`)
    this.#checkReaders()
    this.#checkDelay()
  }

  /** Every byte that was shown is on the disk, or in the ring, or told to be lost. */
  #checkReaders(): void {
    const inRing = this.#ring.start.offset
    const onDisk = this.#disk.kept.filter(({ offset }) => offset < inRing)
    const reachable = bytesOf(onDisk) + this.#state.appended.offset - inRing
    const { offset } = this.#state.appended
    // While a write is under way that was overtaken, its bytes are neither here nor there.
    if (this.#disk.isBusy && inRing > this.#state.kept.offset) return
    if (reachable + this.#lost < offset)
      throw new Error(`Of ${offset} bytes ${reachable} can be read, and ${this.#lost} are told to be lost.`)
  }

  /** A disk that is away delays a live reader by twice `hangMs`. */
  #checkDelay(): void {
    this.#hidden = this.#hidden.filter(({ from }) => comparePositions(from, this.#state.shown) >= 0)
    const delayMs = this.#ms - (this.#hidden[0]?.ms ?? this.#ms)
    // The shell's timer fires when `wakeMs` says so; here time jumps.
    if (delayMs <= 2 * pace.hangMs) return
    this.#state.tick(this.#now)
    if (comparePositions(this.#state.shown, this.#state.appended) < 0)
      throw new Error(`Readers wait for the disk for ${delayMs} ms.`)
  }
}

function later(a: Position, b: Position): Position {
  return comparePositions(a, b) > 0 ? a : b
}

/** The records at the end that join on to each other. */
function lastRun(records: readonly StreamRecord[]): StreamRecord[] {
  const run: StreamRecord[] = []
  for (const record of records) {
    const last = run.at(-1)
    const joins =
      last !== undefined &&
      (isMarkRecord(record)
        ? comparePositions(startOf(record), endOf(last)) === 0
        : record.offset === endOf(last).offset)
    if (last !== undefined && !joins) run.length = 0
    run.push(record)
  }
  return run
}

function bytesOf(records: readonly StreamRecord[]): number {
  return records.reduce((sum, record) => sum + (isMarkRecord(record) ? 0 : record.bytes.byteLength), 0)
}

function text({ offset, mark }: Position): string {
  return `${offset}.${mark}`
}
