import {
  type Cursor,
  formatCursor,
  type HistoryPage,
  parseStartPoint,
  type StreamRecord,
} from "@serialcast/contract"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { LiveWindow } from "./live-window.ts"
import { ModelJournal } from "./model-journal.ts"
import { Resume } from "./resume.ts"
import type { StreamEvent } from "./stream-event.ts"

const epochs = ["00000000000000aa", "00000000000000bb", "00000000000000cc"]
const [epoch = "", nextEpoch = ""] = epochs
const at = (offset: number, mark = 0): Cursor => ({ epoch, offset, mark })

function journalWith(...actions: readonly string[]): ModelJournal {
  const journal = new ModelJournal(epoch)
  for (const [timeUs, action] of actions.entries()) {
    if (action === "mark") journal.mark(timeUs)
    else journal.append(timeUs, Buffer.from(action))
  }
  return journal
}

/** Events as short text: `@cursor`, bytes as they are, `<mark n>`, `[gap from to bytes]`. */
function textOf(events: readonly StreamEvent[]): string {
  const short = (text: string) => text.replace(/^0+/, "")
  return events
    .map((event) => {
      switch (event.kind) {
        case "positioned":
          return event.cursor === null ? "@? " : `@${short(formatCursor(event.cursor))} `
        case "bytes":
          return Buffer.from(event.bytes).toString()
        case "mark":
          return `<${event.mark.n}>`
        case "gap":
          return `[${short(event.gap.from)} ${short(event.gap.to)} ${event.gap.bytes}]`
      }
    })
    .join("")
}

/** Lets `resume` deliver and ask until it waits; answers what it delivered. */
function settle(resume: Resume, window: LiveWindow, journal: ModelJournal | null): string {
  const events: StreamEvent[] = []
  for (let steps = 0; steps < 1_000; steps++) {
    const step = resume.next(window.view)
    if (step.kind === "deliver") events.push(...step.events)
    else if (step.kind === "ask") resume.answered(journal === null ? null : journal.page(step.from, 3))
    else return textOf(events)
  }
  throw new Error("it never waits")
}

describe("start points, on a journal that dropped its first two bytes", () => {
  const journal = journalWith("abcd", "mark", "efgh")
  journal.evict(2)
  test.each([
    ["now", "@aa-8 "],
    ["start", "@aa-2 cd<0>efgh"],
    ["-3", "@aa-5 fgh"],
    ["-100", "@aa-2 cd<0>efgh"],
    ["1970-01-01T00:00:00.000002Z", "@aa-4 <0>efgh"],
    ["1970-01-01T00:00:00.000001Z", "@aa-4 <0>efgh"],
    ["2030-01-01T00:00:00Z", "@aa-8 "],
    [`${epoch}-3`, "@aa-3 d<0>efgh"],
    [`${epoch}-4`, "@aa-4 <0>efgh"],
    [`${epoch}-4.1`, "@aa-4.1 efgh"],
    [`${epoch}-8`, "@aa-8 "],
    [`${epoch}-0`, "@aa-0 [aa-0 aa-2 2]cd<0>efgh"],
    [`${nextEpoch}-7`, "@bb-7 [bb-7 aa-2 null]cd<0>efgh"],
  ])("%s", (from, expected) => {
    const resume = new Resume(parseStartPoint(from))
    expect(settle(resume, new LiveWindow(1_000), journal)).toBe(expected)
  })
})

describe("while the agent is away", () => {
  test.each([
    { from: `${epoch}-1`, first: "@aa-1 ", later: "bcd" },
    { from: "now", first: "@? ", later: "@aa-4 " },
    { from: "start", first: "@? ", later: "@aa-0 abcd" },
    { from: "-1", first: "@? ", later: "@aa-3 d" },
    { from: "1970-01-01T00:00:00Z", first: "@? ", later: "@aa-0 abcd" },
  ])("$from opens once with what is known of its place, and finds it later", ({ from, first, later }) => {
    const window = new LiveWindow(1_000)
    const resume = new Resume(parseStartPoint(from))
    expect(settle(resume, window, null)).toBe(first)
    for (let attempt = 0; attempt < 3; attempt++) {
      expect(resume.next(window.view)).toEqual({ kind: "pause", ms: 1_000 })
      resume.resumed(false)
      expect(settle(resume, window, null)).toBe("")
    }
    resume.resumed(false)
    expect(settle(resume, window, journalWith("abcd"))).toBe(later)
  })

  test("nothing is asked before the place is said when it is known that nobody answers", () => {
    const resume = new Resume({ kind: "now" })
    resume.answered(null)
    expect(resume.next(null)).toEqual({ kind: "deliver", events: [{ kind: "positioned", cursor: null }] })
    expect(resume.next(null)).toEqual({ kind: "pause", ms: 1_000 })
  })

  test("the first page is waited for 1 s, later ones as long as they take", () => {
    const resume = new Resume({ kind: "start" })
    expect(resume.next(null)).toEqual({ kind: "ask", from: "start", timeoutMs: 1_000 })
    settle(resume, new LiveWindow(1_000), null)
    resume.resumed(false)
    expect(resume.next(null)).toEqual({ kind: "ask", from: "start", timeoutMs: null })
  })

  test("what comes in live before the place is known is not delivered at the wrong place", () => {
    const window = new LiveWindow(1_000)
    const resume = new Resume({ kind: "start" })
    expect(settle(resume, window, null)).toBe("@? ")
    window.receive({ epoch, stream: "rx", record: { offset: 2, timeUs: 0, bytes: Buffer.from("cd") } })
    resume.resumed(false)
    expect(settle(resume, window, journalWith("abcd"))).toBe("@aa-0 abcd")
  })

  test("what the window covers is delivered without asking", () => {
    const window = new LiveWindow(1_000)
    const resume = new Resume({ kind: "cursor", cursor: at(0) })
    window.receive({ epoch, stream: "rx", record: { offset: 0, timeUs: 0, bytes: Buffer.from("ab") } })
    expect(settle(resume, window, null)).toBe("@aa-0 ab")
    expect(resume.next(window.view)).toEqual({ kind: "wait", timeoutMs: 25_000 })
  })
})

test("a reader at the live head asks after a silence, once, and gets what was lost", () => {
  const journal = journalWith("ab")
  const window = new LiveWindow(1_000)
  window.receive({ epoch, stream: "rx", record: journal.announce(0) })
  const resume = new Resume({ kind: "now" })
  expect(settle(resume, window, journal)).toBe("@aa-2 ")
  journal.append(1, Buffer.from("lost"))
  resume.resumed(false)
  expect(resume.next(window.view).kind).toBe("wait")
  resume.resumed(true)
  expect(settle(resume, window, journal)).toBe("lost")
  expect(resume.next(window.view).kind).toBe("wait")
})

test("an announced head that the window does not reach makes it ask at once", () => {
  const journal = journalWith("ab")
  const window = new LiveWindow(1_000)
  const resume = new Resume({ kind: "now" })
  settle(resume, window, journal)
  journal.append(1, Buffer.from("cd"))
  journal.mark(2)
  window.receive({ epoch, stream: "rx", record: journal.announce(3) })
  resume.resumed(false)
  expect(settle(resume, window, journal)).toBe("cd<0>")
})

test("with nothing to be had it asks once for each wake, never in a loop", () => {
  const journal = journalWith("ab")
  const window = new LiveWindow(1_000)
  const resume = new Resume({ kind: "now" })
  settle(resume, window, journal)
  for (const isSilent of [false, true]) {
    resume.resumed(isSilent)
    expect(resume.next(window.view)).toEqual({ kind: "ask", from: `${epoch}-2`, timeoutMs: null })
    resume.answered(journal.page(`${epoch}-2`, 3))
    expect(resume.next(window.view)).toEqual({ kind: "wait", timeoutMs: 25_000 })
  }
})

describe("a page that does not follow the contract is refused as bad_message", () => {
  const chunk: StreamRecord = { offset: 0, timeUs: 0, bytes: Buffer.from("ab") }
  const page: HistoryPage = {
    gap: null,
    first: `${epoch}-0`,
    records: [chunk],
    next: `${epoch}-2`,
    head: `${epoch}-2`,
  }
  test.each<[string, Partial<HistoryPage>]>([
    ["a later start without a gap", { first: `${epoch}-1` }],
    ["another epoch without a gap", { first: `${nextEpoch}-0` }],
    ["a hole between chunks", { records: [chunk, { ...chunk, offset: 3 }] }],
    ["a chunk without the mark before it", { records: [{ ...chunk, marks: 1 }] }],
    ["a mark out of turn", { records: [{ offset: 0, timeUs: 0, mark: { n: 1, kind: "opened", open: 1 } }] }],
    ["a cursor that is none", { first: "start" }],
  ])("%s", (_, wrong) => {
    const resume = new Resume({ kind: "cursor", cursor: at(0) })
    resume.next(null)
    expect(() => resume.answered({ ...page, ...wrong })).toThrow(
      expect.objectContaining({ code: "bad_message" }),
    )
  })

  test("a gap that leads back is no gap: nothing comes twice", () => {
    const resume = new Resume({ kind: "cursor", cursor: at(1) })
    resume.next(null)
    resume.answered({ ...page, gap: { from: `${epoch}-1`, to: `${epoch}-0`, bytes: 0, reason: "evicted" } })
    expect(textOf([resume.next(null)].flatMap((step) => (step.kind === "deliver" ? step.events : [])))).toBe(
      "@aa-1 b",
    )
  })
})

type Happening =
  | { kind: "append"; bytes: number; fate: Fate }
  | { kind: "mark" | "announce"; fate: Fate }
  | { kind: "evict"; records: number }
  | { kind: "restart" }
  | { kind: "read"; steps: number; isAway: boolean; isSilent: boolean }
type Fate = "arrives" | "lost" | "doubled" | "late"

const fate = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Fate>("arrives") },
  fc.constantFrom<Fate>("lost", "doubled", "late"),
)
const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("append" as const),
      bytes: fc.integer({ min: 1, max: 4 }),
      fate,
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom("mark" as const, "announce" as const), fate }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("evict" as const), records: fc.nat({ max: 6 }) }) },
  { weight: 1, arbitrary: fc.constant({ kind: "restart" as const }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("read" as const),
      steps: fc.nat({ max: 6 }),
      isAway: fc.boolean(),
      isSilent: fc.boolean(),
    }),
  },
)

/** One device, its lossy channel, and one reader that pages it. */
class World {
  readonly journal = new ModelJournal(epoch)
  readonly window = new LiveWindow(700)
  readonly events: StreamEvent[] = []
  /** Everything ever appended, by epoch: `offset byte` and `offset <mark>`. */
  readonly truth = new Map<string, string[]>([[epoch, []]])
  readonly #resume: Resume
  #late: { epoch: string; record: StreamRecord }[] = []
  #timeUs = 0

  constructor(from: string) {
    this.#resume = new Resume(parseStartPoint(from))
  }

  happen(what: Happening): void {
    this.#timeUs++
    switch (what.kind) {
      case "append":
        return this.#publish(this.journal.append(this.#timeUs, this.#newBytes(what.bytes)), what.fate)
      case "mark":
        return this.#publish(this.journal.mark(this.#timeUs), what.fate)
      case "announce":
        return this.#publish(this.journal.announce(this.#timeUs), what.fate)
      case "evict":
        return this.journal.evict(what.records)
      case "restart": {
        const next = epochs[epochs.indexOf(this.journal.epoch) + 1]
        if (next === undefined) return
        this.truth.set(next, [])
        return this.journal.restart(next)
      }
      case "read":
        for (let step = 0; step < what.steps; step++) this.#step(what.isAway, what.isSilent)
    }
  }

  /** Reads with the agent there until nothing more comes. */
  finish(): void {
    for (let step = 0; step < 300; step++) this.#step(false, true)
  }

  #step(isAway: boolean, isSilent: boolean): void {
    const step = this.#resume.next(this.window.view)
    if (step.kind === "deliver") this.events.push(...step.events)
    else if (step.kind === "ask") this.#resume.answered(isAway ? null : this.journal.page(step.from, 4))
    else this.#resume.resumed(step.kind === "wait" && isSilent)
  }

  #newBytes(count: number): Uint8Array {
    return Uint8Array.from(
      { length: count },
      (_, byte) => 97 + ((this.journal.head.offset + byte + this.truth.size) % 26),
    )
  }

  #publish(record: StreamRecord, how: Fate): void {
    this.truth.get(this.journal.epoch)?.push(...unitsOf(record))
    const message = { epoch: this.journal.epoch, record }
    if (how === "late") this.#late.push(message)
    const late = how === "arrives" ? this.#late.splice(0) : []
    const arriving = { arrives: [message], doubled: [message, message], lost: [], late: [] }[how]
    for (const arrived of [...arriving, ...late]) this.window.receive({ ...arrived, stream: "rx" })
  }
}

function unitsOf(record: StreamRecord): string[] {
  if ("mark" in record) return [`${record.offset}.${record.mark.n} mark`]
  return [...record.bytes].map((byte, place) => `${record.offset + place} byte ${byte}`)
}

test("over a channel that loses, doubles and delays, a reader gets every offset and mark once and in order, or a gap", () => {
  const from = fc.constantFrom("now", "start", "-3", `${epoch}-0`, "1970-01-01T00:00:00Z")
  fc.assert(
    fc.property(from, fc.array(happening, { maxLength: 60 }), (start, happenings) => {
      const world = new World(start)
      for (const what of happenings) world.happen(what)
      world.finish()
      checkEvents(world)
    }),
    { numRuns: 2_000 },
  )
})

/** Each event starts where the last one ended, says the truth, and the last one is at the head. */
function checkEvents({ events, truth, journal }: World): void {
  const known = events.findIndex((event) => event.cursor !== null)
  const opening = events.slice(0, known + 1)
  expect(opening.map(({ kind }) => kind)).toEqual(Array.from({ length: known + 1 }, () => "positioned"))
  expect(known).toBeLessThanOrEqual(1)
  let cursor = formatCursor(opening.at(-1)!.cursor!)
  for (const event of events.slice(known + 1)) {
    if (event.kind === "positioned") throw new Error("the place was known already")
    if (event.kind === "gap") {
      expect([event.gap.from, event.gap.to]).toEqual([cursor, formatCursor(event.cursor)])
    } else {
      const record =
        event.kind === "mark" ? { offset: event.cursor.offset, timeUs: 0, mark: event.mark } : undefined
      const units = unitsOf(record ?? (event as Extract<StreamEvent, { kind: "bytes" }>))
      const all = truth.get(event.cursor.epoch) ?? []
      const place = unitAt(all, cursor)
      expect(units).toEqual(all.slice(place, place + units.length))
    }
    cursor = formatCursor(event.cursor)
  }
  expect(cursor).toBe(formatCursor({ epoch: journal.epoch, ...journal.head }))
}

/** The place in `all` of the next unit that a reader at `cursor` must get. */
function unitAt(all: readonly string[], cursor: string): number {
  const [, offset = "", mark = "0"] = /-(\d+)(?:\.(\d+))?$/.exec(cursor) ?? []
  const place = all.indexOf(`${offset}.${mark} mark`)
  return place >= 0 ? place : all.findIndex((unit) => unit.startsWith(`${offset} byte`))
}
