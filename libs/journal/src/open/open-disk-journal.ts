import { join } from "node:path"
import { streamNames } from "@serialcast/contract"
import { createBackoff } from "@serialcast/primitives"
import { stepBetween } from "../clock-watch.ts"
import { createPatientFiles } from "../disk/patient-files.ts"
import { DiskJournal, type DiskJournalOptions } from "../disk-journal.ts"
import type { RememberedWrite } from "../journal.ts"
import { ReadFiles } from "../page/read-files.ts"
import type { SegmentDeps } from "../shelf/segment.ts"
import type { FilesEnd } from "../stage/files-end.ts"
import { createStages, type FoundStages, findStages, type StagePair, stagesOf } from "../stage/stage-pair.ts"
import { type FoundFolder, findEpochs } from "./find-epochs.ts"
import { JournalNote, type NoteContent } from "./journal-note.ts"
import { noteEnd } from "./note-end.ts"
import type { DiskJournalDeps, Opened } from "./opened.ts"
import { endByStage, type Recovered, recover, type StreamEnd } from "./recover.ts"
import { Redirect } from "./redirect.ts"
import { rememberWrites } from "./remembered-writes.ts"

// Of one operation. A disk that takes longer is asked again later, and the port is read meanwhile.
const operationMs = 5_000
const retryMs = { minMs: 1_000, maxMs: 60_000 }

const nowhere: StreamEnd = {
  kept: { offset: 0, mark: 0 },
  staged: [],
  shown: { offset: 0, mark: 0 },
  newest: null,
}

/**
 * Opens the journal in `dir`. It always opens: where the disk refuses, it shows bytes without keeping them, says so in
 * `health`, and tries again. What cannot be looked at now is put in when it can.
 */
export async function openDiskJournal(
  options: DiskJournalOptions,
  deps: DiskJournalDeps,
): Promise<DiskJournal> {
  const opening = new Opening(options, deps)
  const recovered = await opening.find()
  const journal = new DiskJournal(options, await opening.begin(recovered))
  journal.start()
  if (recovered === null) void opening.findLater(journal)
  return journal
}

class Opening {
  readonly #options: DiskJournalOptions
  readonly #deps: DiskJournalDeps
  readonly #onUnreadable: Opened["onUnreadable"] = new Redirect()
  /** For looking, which may be given up. */
  readonly #patientDeps: SegmentDeps
  readonly #note: JournalNote
  #foundStages: FoundStages | null

  constructor(options: DiskJournalOptions, deps: DiskJournalDeps) {
    const { clock, files, log, bootId } = deps
    this.#options = options
    this.#deps = deps
    const patient = createPatientFiles(files, { clock, timeoutMs: operationMs })
    this.#patientDeps = {
      files: patient,
      readFiles: new ReadFiles(patient),
      onUnreadable: this.#onUnreadable.call,
    }
    this.#note = new JournalNote(options.dir, { files: patient, log })
    const path = options.stage ?? null
    this.#foundStages = path === null || bootId === null ? null : findStages(path, bootId)
  }

  /** What earlier processes left; null when it cannot be looked at. */
  async find(): Promise<Recovered | null> {
    const { log, bootId } = this.#deps
    const note = this.#note
    try {
      return await recover(this.#options.dir, {
        ...this.#patientDeps,
        log,
        note,
        bootId,
        stages: this.#foundStages,
      })
    } catch (error) {
      const { dir } = this.#options
      log.error(
        { dir, reason: String(error) },
        "what is kept in the journal cannot be reached: it is tried again",
      )
      return null
    }
  }

  async begin(recovered: Recovered | null): Promise<Opened> {
    const { clock, bootId } = this.#deps
    const writes = await this.#rememberWrites(recovered)
    const now = { wallUs: clock.nowUs(), monotonicMs: clock.monotonicMs() }
    const noted = recovered?.noted ?? null
    const stepUs = noted === null ? 0 : stepBetween(noted, now)
    const common = {
      deps: this.#deps,
      segmentDeps: this.#patientDeps,
      onUnreadable: this.#onUnreadable,
      note: this.#note,
      history: { segments: segmentsOf(recovered), others: recovered?.others ?? [] },
      writes,
      opens: recovered?.opens ?? 0,
      stepUs,
      removeRemains: () => this.#remove(recovered?.remains ?? []),
    }
    const goingOn = await this.#goOn(recovered)
    if (goingOn !== null) return { ...common, ...goingOn }
    this.#dropStages()
    const epoch = this.#deps.createEpoch()
    const createdUs = Math.max(now.wallUs, (recovered?.epochs.at(-1)?.createdUs ?? 0) + 1)
    const begun = {
      epoch,
      createdUs,
      folder: join(this.#options.dir, epoch),
      ends: { rx: nowhere, tx: nowhere },
      stages: this.#createStages(epoch, null),
    }
    // Nobody waits long for it: without it, the next process finds the stage, or begins another epoch.
    const opens = recovered?.opens ?? 0
    if (recovered !== null) await this.#writeNote({ ...begun, opens, bootId }, false)
    return { ...common, ...begun }
  }

  /** Puts in later what could not be looked at, time after time until it can. */
  async findLater(journal: DiskJournal): Promise<void> {
    journal.adopt(null)
    const backoff = createBackoff(retryMs)
    const { clock } = this.#deps
    for (;;) {
      await new Promise<void>((resolve) => clock.startTimer(backoff.next(), resolve))
      if (journal.isClosed) return
      try {
        const found = await findEpochs(this.#options.dir, this.#patientDeps)
        const createdUs = Math.max(0, ...found.epochs.map((epoch) => epoch.createdUs))
        journal.adopt({ segments: segmentsOf(found), others: found.others, createdUs })
        return
      } catch (error) {
        this.#deps.log.warn({ reason: String(error) }, "what was kept in the journal still cannot be reached")
      }
    }
  }

  /** null when another epoch is to begin. */
  async #goOn(
    recovered: Recovered | null,
  ): Promise<Pick<Opened, "epoch" | "createdUs" | "folder" | "ends" | "stages"> | null> {
    if (recovered === null && this.#foundStages !== null) return await this.#goOnByStage(this.#foundStages)
    if (recovered === null || recovered.ends === null || recovered.decision.how === "anew") return null
    const { epoch, how } = recovered.decision
    const { ends, opens } = recovered
    const found = recovered.epochs.find((candidate) => candidate.epoch === epoch)
    if (how !== "stage") this.#dropStages()
    const stages = how === "stage" ? this.#foundStages : this.#createStages(epoch, recovered)
    const goingOn = {
      epoch,
      createdUs: await this.#createdUsOf(recovered, epoch),
      folder: found?.folder ?? join(this.#options.dir, epoch),
      ends,
      stages,
    }
    if (how === "stage") return goingOn
    // Before anything is shown: a note that still says that all is closed would give its places away again.
    const isNoted = await this.#writeNote({ ...goingOn, opens, bootId: this.#deps.bootId }, how === "clean")
    if (isNoted) return goingOn
    this.#deps.log.error(
      { epoch },
      "the journal's disk does not take the note that it is open: a new epoch begins",
    )
    return null
  }

  /** The disk cannot be looked at, but what was shown and is not on it is known. */
  async #goOnByStage(
    stages: FoundStages,
  ): Promise<Pick<Opened, "epoch" | "createdUs" | "folder" | "ends" | "stages">> {
    const { epoch } = stages
    const ends = { rx: endByStage(stages.contents.rx), tx: endByStage(stages.contents.tx) }
    return {
      epoch,
      createdUs: this.#deps.clock.nowUs(),
      folder: join(this.#options.dir, epoch),
      ends,
      stages,
    }
  }

  async #createdUsOf(recovered: Recovered, epoch: string): Promise<number> {
    const found = recovered.epochs.find((candidate) => candidate.epoch === epoch)
    if (found !== undefined && found.createdUs > 0) return found.createdUs
    for (const stream of streamNames) {
      const header = (await found?.segments[stream].at(-1)?.readHeader()) ?? null
      if (header !== null) return header.header.createdUs
    }
    return this.#deps.clock.nowUs()
  }

  #createStages(epoch: string, recovered: Recovered | null): StagePair | null {
    const { bootId, clock, log } = this.#deps
    const path = this.#options.stage ?? null
    if (path === null || bootId === null) return null
    const opens = recovered?.opens ?? 0
    const ends = recovered?.ends ?? null
    const files = {
      rx: ends === null ? null : filesEndOf(ends.rx, opens),
      tx: ends === null ? null : filesEndOf(ends.tx, opens),
    }
    try {
      return createStages(path, { epoch, bootId, madeMs: clock.monotonicMs(), files })
    } catch (error) {
      log.warn({ path, reason: String(error) }, "no stage: every write waits for the disk before it is shown")
      return null
    }
  }

  #dropStages(): void {
    if (this.#foundStages !== null) for (const stage of stagesOf(this.#foundStages)) stage.discard()
    this.#foundStages = null
  }

  async #writeNote(
    {
      epoch,
      ends,
      stages,
      opens,
      bootId,
    }: Pick<Opened, "epoch" | "ends" | "stages" | "opens"> & Pick<DiskJournalDeps, "bootId">,
    isOnMedium: boolean,
  ): Promise<boolean> {
    const { clock } = this.#deps
    const content: NoteContent = {
      epoch,
      bootId,
      isClean: false,
      stage: stages?.id ?? null,
      opens,
      newest: { rx: noteEnd(ends.rx.newest), tx: noteEnd(ends.tx.newest) },
      time: { wallUs: clock.nowUs(), monotonicMs: clock.monotonicMs() },
    }
    return await this.#note.write(content, isOnMedium)
  }

  async #rememberWrites(recovered: Recovered | null): Promise<RememberedWrite[]> {
    if (recovered === null) return []
    const segments = recovered.epochs.flatMap((epoch) => epoch.segments.tx)
    const epoch = recovered.decision.how === "anew" ? "" : recovered.decision.epoch
    try {
      return await rememberWrites(segments, { epoch, records: recovered.ends?.tx.staged ?? [] })
    } catch (error) {
      this.#deps.log.warn(
        { reason: String(error) },
        "earlier writes cannot be read: a repeat of one is written again",
      )
      return []
    }
  }

  async #remove(paths: readonly string[]): Promise<void> {
    const { files, log } = this.#deps
    for (const path of paths) {
      await files.remove(path).catch((error: unknown) => {
        log.warn({ path, reason: String(error) }, "what is left of a dropped segment cannot be deleted")
      })
    }
  }
}

function segmentsOf(found: Pick<FoundFolder, "epochs"> | null) {
  const of = (stream: "rx" | "tx") => (found?.epochs ?? []).flatMap(({ segments }) => segments[stream])
  return { rx: of("rx"), tx: of("tx") }
}

/** What a stage says of a stream that it has nothing of. */
function filesEndOf({ kept, newest }: StreamEnd, opens: number): FilesEnd {
  if (newest === null) return { position: kept, start: kept, dataBytes: 0, indexBytes: 0, lastUs: 0, opens }
  const { dataBytes, indexBytes, lastUs, end } = newest.extent
  return { position: end, start: newest.segment.start, dataBytes, indexBytes, lastUs, opens }
}
