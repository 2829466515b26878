import { type StreamName, streamNames } from "@serialcast/contract"
import type { Clock, Timer } from "@serialcast/primitives"
import type { ClockWatch } from "./clock-watch.ts"
import type { JournalNote, NoteContent } from "./open/journal-note.ts"
import { noteEnd } from "./open/note-end.ts"
import type { StagePair } from "./stage/stage-pair.ts"
import type { StreamLane } from "./stream/stream-lane.ts"

// A disk that refused the note gets it again.
const retryMs = 5_000

export interface NoteKeeperDeps {
  readonly note: JournalNote
  readonly clock: Clock
  readonly watch: ClockWatch
  readonly epoch: string
  readonly bootId: string | null
  readonly stages: StagePair | null
  readonly lanes: Readonly<Record<StreamName, StreamLane>>
  /** How often the port was opened. */
  readonly opens: () => number
}

/** Says on disk, at any time, whether and where the next process may go on. */
export class NoteKeeper {
  readonly #deps: NoteKeeperDeps
  #timer: Timer | null = null
  /** Closing the files says nothing about what is kept. */
  #isFinal = false

  constructor(deps: NoteKeeperDeps) {
    this.#deps = deps
  }

  /** Something that the note tells may be another; then, what only memory has may be shown. */
  update(): void {
    if (this.#isFinal) return
    this.#keepStagesTogether()
    const isAsked = this.#lanes.some((lane) => lane.wantsAhead)
    const written = this.#deps.note.write(isAsked ? null : this.#content())
    void written.then((isWritten) => {
      if (!isWritten) this.#retry()
      if (isAsked) for (const lane of this.#lanes) if (lane.wantsAhead) lane.allowAhead(true)
    })
  }

  /** The note of a journal whose files have everything; null: they have not. It changes no more by itself. */
  finish(): NoteContent | null {
    this.#isFinal = true
    this.#timer?.cancel()
    const content = this.#content()
    const isKept = this.#lanes.every((lane) => lane.isKept)
    return content === null || !isKept ? null : { ...content, isClean: true, stage: null }
  }

  get #lanes(): StreamLane[] {
    return streamNames.map((stream) => this.#deps.lanes[stream])
  }

  /** The note names both stages, or none: what the one has of its stream is nothing without the other. */
  #keepStagesTogether(): void {
    const isOneLost = this.#deps.stages !== null && this.#lanes.some((lane) => !lane.hasStage)
    if (isOneLost) for (const lane of this.#lanes) lane.dropStage()
  }

  #retry(): void {
    if (this.#isFinal) return
    this.#timer ??= this.#deps.clock.startTimer(retryMs, () => {
      this.#timer = null
      this.update()
    })
  }

  /** null: it is not sure that all that was shown is on disk, or will be when the process is killed. */
  #content(): NoteContent | null {
    const { epoch, bootId, stages, watch, lanes, opens } = this.#deps
    const { rx, tx } = lanes
    if (!rx.isSafe || !tx.isSafe) return null
    const { wallUs, monotonicMs } = watch.stamp()
    return {
      epoch,
      bootId,
      isClean: false,
      stage: rx.hasStage && tx.hasStage ? (stages?.id ?? null) : null,
      opens: opens(),
      newest: { rx: noteEnd(rx.files.newest), tx: noteEnd(tx.files.newest) },
      time: { wallUs, monotonicMs },
    }
  }
}
