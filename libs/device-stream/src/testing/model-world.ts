import {
  AppError,
  formatStartPoint,
  type HistoryPage,
  isMarkRecord,
  type Mark,
  parseStartPoint,
  type StartPoint,
  type StreamRecord,
} from "@serialcast/contract"
import { createDeferred, type Deferred } from "@serialcast/primitives"
import fc from "fast-check"
import { History } from "../read/history.ts"
import { LiveWindow } from "../read/live-window.ts"
import type { Page } from "../read/page.ts"
import { Resume } from "../read/resume.ts"
import type { StreamEvent } from "../read/stream-event.ts"
import { ModelJournal } from "./model-journal.ts"

const modelEpochs = ["00000000000000aa", "00000000000000bb", "00000000000000cc"]
const [firstEpoch = ""] = modelEpochs
/** Cells and pages are small, so that a run has many of them. */
const cellBytes = 4

type Fate = "arrives" | "lost" | "doubled" | "late"
const fate = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Fate>("arrives") },
  fc.constantFrom<Fate>("lost", "doubled", "late"),
)
const marks = ["closed", "opened", "overrun", "other"] as const
const units = fc.nat({ max: 6 })

/** What may happen to a device, its journal, its messages and its readers. */
export const happening = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant("append"), bytes: fc.integer({ min: 1, max: 6 }), fate }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("mark"), what: fc.constantFrom(...marks), fate }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("announce"), fate }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("evict"), units }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("lose"), units }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("restart") }) },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("read"),
      steps: fc.nat({ max: 8 }),
      /** Which of the pages that were asked for is answered first. */
      order: fc.nat({ max: 3 }),
      isAway: fc.boolean(),
      isSilent: fc.boolean(),
    }),
  },
)
type Happening = typeof happening extends fc.Arbitrary<infer H> ? H : never
type Read = Omit<Extract<Happening, { kind: "read" }>, "kind" | "steps">

/** A request on its way to the agent. */
interface Asked {
  readonly from: string
  readonly maxBytes: number
  readonly page: Deferred<HistoryPage>
}

/** One device, its lossy channel, an agent that answers when it likes, and readers that share its pages. */
export class ModelWorld {
  readonly journal = new ModelJournal(firstEpoch)
  readonly readers: readonly ModelReader[]
  /** Everything ever appended, by epoch: `offset byte value` and `offset.n mark`. */
  readonly truth = new Map<string, string[]>([[firstEpoch, []]])
  readonly #window = new LiveWindow(700)
  readonly #asked: Asked[] = []
  #late: { epoch: string; record: StreamRecord }[] = []
  #timeUs = 0

  constructor(starts: readonly string[]) {
    const history = new History((_, from, maxBytes) => {
      const page = createDeferred<HistoryPage>()
      this.#asked.push({ from, maxBytes, page })
      return page.promise
    }, cellBytes)
    this.readers = starts.map((start) => new ModelReader(parseStartPoint(start), this.#window, history))
  }

  async happen(what: Happening): Promise<void> {
    this.#timeUs++
    switch (what.kind) {
      case "append":
        return this.#publish(this.journal.append(this.#timeUs, this.#newBytes(what.bytes)), what.fate)
      case "mark":
        return this.#publish(this.journal.mark(this.#timeUs, this.#newMark(what.what)), what.fate)
      case "announce":
        return this.#publish(this.journal.announce(this.#timeUs), what.fate)
      case "evict":
        return this.journal.evict(what.units)
      case "lose":
        return this.journal.lose(what.units)
      case "restart":
        return this.#restart()
      case "read":
        for (let step = 0; step < what.steps; step++) await this.#step(what)
    }
  }

  /** Reads with the agent there until nothing more comes. */
  async finish(): Promise<void> {
    for (let quiet = 0; quiet < 4; ) {
      const had = this.readers.map(({ events }) => events.length)
      await this.#step({ order: 0, isAway: false, isSilent: true })
      const isQuiet =
        this.#asked.length === 0 && this.readers.every(({ events }, at) => events.length === had[at])
      quiet = isQuiet ? quiet + 1 : 0
    }
  }

  async #step({ order, isAway, isSilent }: Read): Promise<void> {
    for (const reader of this.readers) reader.step(isSilent)
    await settled()
    const [asked] = this.#asked.splice(order % Math.max(1, this.#asked.length), 1)
    if (asked !== undefined) this.#answer(asked, isAway)
    await settled()
  }

  #answer({ from, maxBytes, page }: Asked, isAway: boolean): void {
    if (isAway) return page.reject(new AppError("no_reply", "The agent is away."))
    try {
      page.resolve(this.journal.page(from, maxBytes))
    } catch (error) {
      page.reject(error as Error)
    }
  }

  #restart(): void {
    const next = modelEpochs[this.truth.size]
    if (next === undefined) return
    this.truth.set(next, [])
    this.journal.restart(next)
  }

  #newBytes(count: number): Uint8Array {
    const { offset } = this.journal.head
    return Uint8Array.from({ length: count }, (_, at) => 97 + ((offset + at + this.truth.size) % 26))
  }

  #newMark(kind: (typeof marks)[number]): Parameters<ModelJournal["mark"]>[1] {
    if (kind === "opened") return { kind, open: 1 + (this.#timeUs % 2) }
    if (kind === "closed") return { kind, reason: "unplugged" }
    return kind === "other" ? { kind, name: "new" } : { kind }
  }

  #publish(record: StreamRecord, how: Fate): void {
    this.truth.get(this.journal.epoch)?.push(...unitsOf(record))
    const message = { epoch: this.journal.epoch, record }
    if (how === "late") this.#late.push(message)
    const late = how === "arrives" ? this.#late.splice(0) : []
    const arriving = { arrives: [message], doubled: [message, message], lost: [], late: [] }[how]
    for (const arrived of [...arriving, ...late]) this.#window.receive({ ...arrived, stream: "rx" })
  }
}

/** One reader, which takes a step whenever it is told to. */
export class ModelReader {
  readonly events: StreamEvent[] = []
  readonly #resume: Resume
  readonly #window: LiveWindow
  readonly #history: History
  #isAsking = false
  #failure: Error | null = null

  constructor(from: StartPoint, window: LiveWindow, history: History) {
    this.#resume = new Resume(from)
    this.#window = window
    this.#history = history
  }

  step(isSilent: boolean): void {
    if (this.#failure !== null) throw this.#failure
    if (this.#isAsking) return
    const step = this.#resume.next(this.#window.view)
    if (step.kind === "deliver") this.events.push(...step.events)
    else if (step.kind !== "ask") this.#resume.resumed(step.kind === "wait" && isSilent)
    else {
      this.#isAsking = true
      void this.#ask(step.from)
    }
  }

  async #ask(from: StartPoint): Promise<void> {
    try {
      this.#resume.answered(await this.#page(from))
    } catch (error) {
      this.#failure = new Error(`from ${formatStartPoint(from)}`, { cause: error })
    }
    this.#isAsking = false
  }

  async #page(from: StartPoint): Promise<Page | null> {
    try {
      return await this.#history.page("rx", from)
    } catch (error) {
      if (error instanceof AppError && error.code === "no_reply") return null
      throw error
    }
  }
}

export function unitsOf(record: StreamRecord): string[] {
  if (isMarkRecord(record)) return [`${record.offset}.${record.mark.n} mark ${labelOf(record.mark)}`]
  return [...record.bytes].map((byte, place) => `${record.offset + place} byte ${byte}`)
}

function labelOf(mark: Mark): string {
  return mark.kind === "opened" ? `opened ${mark.open}` : mark.kind
}

async function settled(): Promise<void> {
  await new Promise(setImmediate)
}
