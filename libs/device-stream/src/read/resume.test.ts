import {
  type Cursor,
  formatCursor,
  formatStartPoint,
  type HistoryPage,
  parseCursor,
  parseStartPoint,
  type StartPoint,
  type StreamRecord,
} from "@serialcast/contract"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { ModelJournal } from "../testing/model-journal.ts"
import { happening, ModelWorld, unitsOf } from "../testing/model-world.ts"
import { LiveWindow } from "./live-window.ts"
import { type Page, parsePage } from "./page.ts"
import { Resume } from "./resume.ts"
import type { StreamEvent } from "./stream-event.ts"

const epoch = "00000000000000aa"
const nextEpoch = "00000000000000bb"
const goneEpoch = "0000000000000099"
const at = (offset: number, mark = 0): Cursor => ({ epoch, offset, mark })

/** `mark`, `overrun`, `opened 2`, `restart`; anything else is bytes. */
function journalWith(...actions: readonly string[]): ModelJournal {
  const journal = new ModelJournal(epoch)
  for (const [timeUs, action] of actions.entries()) {
    const [what, open] = action.split(" ")
    if (what === "mark") journal.mark(timeUs)
    else if (what === "overrun") journal.mark(timeUs, { kind: "overrun" })
    else if (what === "opened") journal.mark(timeUs, { kind: "opened", open: Number(open) })
    else if (what === "restart") journal.restart(nextEpoch)
    else journal.append(timeUs, Buffer.from(action))
  }
  return journal
}

function pageOf(journal: ModelJournal, from: StartPoint, maxUnits: number): Page {
  return parsePage(
    journal.page(formatStartPoint(from), maxUnits),
    from.kind === "cursor" ? from.cursor : undefined,
  )
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
    else if (step.kind === "ask") resume.answered(journal === null ? null : pageOf(journal, step.from, 3))
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
    ["1970-01-01T00:00:00.000002Z", "@aa-4.1 efgh"],
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

describe("start points, on a journal of two epochs whose disk refused some bytes of the second", () => {
  const journal = journalWith("abcd", "mark", "restart", "opened 2", "ef", "lost")
  journal.lose(4)
  journal.append(9, Buffer.from("gh"))
  const second = "[bb-0 bb-0 null]<0>ef[bb-2 bb-6 4]gh"
  test.each([
    ["start", `@aa-0 abcd<0>[aa-4.1 bb-0 null]${second}`],
    [`${epoch}-2`, `@aa-2 cd<0>[aa-4.1 bb-0 null]${second}`],
    [`${epoch}-4.1`, `@aa-4.1 [aa-4.1 bb-0 null]${second}`],
    [`${goneEpoch}-5`, `@99-5 [99-5 aa-0 null]abcd<0>[aa-4.1 bb-0 null]${second}`],
    ["1970-01-01T00:00:00.000002Z", `@bb-0 ${second}`],
    [`${nextEpoch}-0.1`, "@bb-0.1 ef[bb-2 bb-6 4]gh"],
    [`${nextEpoch}-3`, "@bb-3 [bb-3 bb-6 3]gh"],
    ["-2", "@bb-6 gh"],
    ["now", "@bb-8 "],
  ])("%s", (from, expected) => {
    const resume = new Resume(parseStartPoint(from))
    expect(settle(resume, new LiveWindow(1_000), journal)).toBe(expected)
  })
})

describe("before what nobody read there is a gap of unknown size", () => {
  test.each([
    ["the first opening is after nothing", ["opened 1", "ab"], "@aa-0 <0>ab"],
    ["a later opening", ["ab", "mark", "opened 2", "cd"], "@aa-0 ab<0>[aa-2.1 aa-2.1 null]<1>cd"],
    ["an overrun", ["ab", "overrun", "cd"], "@aa-0 ab[aa-2 aa-2 null]<0>cd"],
    ["any other mark is none", ["ab", "mark", "cd"], "@aa-0 ab<0>cd"],
  ])("%s, from the journal and live", (_, actions, expected) => {
    const journal = journalWith(...actions)
    const kept = new Resume({ kind: "cursor", cursor: at(0) })
    expect(settle(kept, new LiveWindow(1_000), journal)).toBe(expected)
    const window = new LiveWindow(10_000)
    for (const record of journal.page(`${epoch}-0`, 100).records)
      window.receive({ epoch, stream: "rx", record })
    const live = new Resume({ kind: "cursor", cursor: at(0) })
    expect(settle(live, window, null)).toBe(expected)
  })

  test("a reader that resumes between the gap and the mark gets both", () => {
    const journal = journalWith("ab", "overrun", "cd")
    const resume = new Resume({ kind: "cursor", cursor: at(2) })
    expect(settle(resume, new LiveWindow(1_000), journal)).toBe("@aa-2 [aa-2 aa-2 null]<0>cd")
  })
})

test("marks of a kind that this version does not know pass", () => {
  const journal = journalWith("ab")
  journal.mark(1, { kind: "other", name: "new" })
  const resume = new Resume({ kind: "start" })
  expect(settle(resume, new LiveWindow(1_000), journal)).toBe("@aa-0 ab<0>")
})

describe("a page that somebody before the reader asked for", () => {
  test("is taken from the reader's place on, and its gap begins there", () => {
    const journal = journalWith("abcd", "mark", "efgh")
    journal.evict(3)
    const page = pageOf(journal, { kind: "cursor", cursor: at(0) }, 100)
    for (const [cursor, expected] of [
      [at(0), "@aa-0 [aa-0 aa-3 3]d<0>efgh"],
      [at(2), "@aa-2 [aa-2 aa-3 1]d<0>efgh"],
      [at(3), "@aa-3 d<0>efgh"],
      [at(4, 1), "@aa-4.1 efgh"],
      [at(6), "@aa-6 gh"],
    ] as const) {
      const resume = new Resume({ kind: "cursor", cursor })
      resume.answered(page)
      expect(settle(resume, new LiveWindow(1_000), null)).toBe(expected)
    }
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
    expect(resume.next(null)).toEqual({ kind: "ask", from: { kind: "start" }, timeoutMs: 1_000 })
    settle(resume, new LiveWindow(1_000), null)
    resume.resumed(false)
    expect(resume.next(null)).toEqual({ kind: "ask", from: { kind: "start" }, timeoutMs: null })
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
    expect(resume.next(window.view).kind).toBe("deliver")
    expect(settle(resume, window, null)).toBe("ab")
    expect(resume.next(window.view)).toEqual({ kind: "wait", timeoutMs: 25_000, quietUs: null })
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
  const head: StartPoint = { kind: "cursor", cursor: at(2) }
  for (const isSilent of [false, true]) {
    resume.resumed(isSilent)
    expect(resume.next(window.view)).toEqual({ kind: "ask", from: head, timeoutMs: null })
    resume.answered(pageOf(journal, head, 3))
    expect(resume.next(window.view)).toEqual({ kind: "wait", timeoutMs: 25_000, quietUs: null })
  }
})

test("a page that is older than what the window tells of is asked for once more, never in a loop", () => {
  const journal = journalWith("ab")
  const window = new LiveWindow(1_000)
  const resume = new Resume({ kind: "start" })
  const early = pageOf(journal, { kind: "start" }, 3)
  window.receive({ epoch, stream: "rx", record: { offset: 3, timeUs: 0, bytes: Buffer.from("d") } })
  resume.answered(early)
  expect(settle(resume, window, journalWith("abcd"))).toBe("@aa-0 abcd")
  // Somebody tells of bytes that the journal does not have.
  window.receive({ epoch, stream: "rx", record: { offset: 9, timeUs: 0, bytes: Buffer.from("x") } })
  resume.resumed(false)
  let asked = 0
  for (let step = resume.next(window.view); step.kind === "ask"; step = resume.next(window.view)) {
    resume.answered(pageOf(journalWith("abcd"), step.from, 3))
    asked++
  }
  expect(asked).toBe(2)
})

test("a reader that reached the head does not ask whether there is more", () => {
  const journal = journalWith("ab")
  const resume = new Resume({ kind: "start" })
  resume.answered(pageOf(journal, { kind: "start" }, 3))
  expect(resume.next(null).kind).toBe("deliver")
  expect(resume.next(null).kind).toBe("wait")
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
  const answer = (resume: Resume, wrong: Partial<HistoryPage>) =>
    resume.answered(parsePage({ ...page, ...wrong }, at(0)))
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
    expect(() => answer(resume, wrong)).toThrow(expect.objectContaining({ code: "bad_message" }))
  })

  test("a gap that leads back is no gap: nothing comes twice", () => {
    const resume = new Resume({ kind: "cursor", cursor: at(1) })
    resume.next(null)
    answer(resume, { gap: { from: `${epoch}-1`, to: `${epoch}-0`, bytes: 0, reason: "evicted" } })
    expect(textOf([resume.next(null)].flatMap((step) => (step.kind === "deliver" ? step.events : [])))).toBe(
      "@aa-1 b",
    )
  })
})

const starts = fc.constantFrom("now", "start", "-3", `${epoch}-0`, "1970-01-01T00:00:00Z")

test("over a channel that loses, doubles and delays, a reader gets every offset and mark once and in order, or a gap", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(starts, { minLength: 1, maxLength: 3 }),
      fc.array(happening, { maxLength: 60 }),
      async (from, happenings) => {
        const world = new ModelWorld(from)
        for (const what of happenings) await world.happen(what)
        await world.finish()
        for (const { events } of world.readers) checkEvents(events, world)
      },
    ),
    { numRuns: 1_000 },
  )
})

/** Each event starts where the last one ended, says the truth, and the last one is at the head. */
function checkEvents(events: readonly StreamEvent[], { truth, journal }: ModelWorld): void {
  const known = events.findIndex((event) => event.cursor !== null)
  const opening = events.slice(0, known + 1)
  expect(opening.map(({ kind }) => kind)).toEqual(Array.from({ length: known + 1 }, () => "positioned"))
  expect(known).toBeLessThanOrEqual(1)
  let cursor = formatCursor(opening.at(-1)!.cursor!)
  for (const [at, event] of events.entries()) {
    if (at <= known) continue
    if (event.kind === "positioned") throw new Error("the place was known already")
    if (event.kind === "gap") {
      expect([event.gap.from, event.gap.to]).toEqual([cursor, formatCursor(event.cursor)])
      if (event.gap.reason === "evicted") expect(event.gap.bytes).toBe(bytesBetween(cursor, event.cursor))
    } else {
      const { offset } = event.kind === "bytes" ? event : event.cursor
      const units = unitsOf({ ...event, offset })
      const all = truth.get(event.cursor.epoch) ?? []
      const place = unitAt(all, cursor)
      expect(units).toEqual(all.slice(place, place + units.length))
      const before = events[at - 1]!
      const isUnread = / (overrun|opened [^1])/.test(units[0]!)
      expect(before.kind === "gap" && before.gap.reason === "unread").toBe(isUnread)
    }
    cursor = formatCursor(event.cursor)
  }
  expect(cursor).toBe(formatCursor({ epoch: journal.epoch, ...journal.head }))
}

/** null when nobody knows how many. */
function bytesBetween(from: string, to: Cursor): number | null {
  const start = parseCursor(from)!
  return start.epoch === to.epoch ? to.offset - start.offset : null
}

/** The place in `all` of the next unit that a reader at `cursor` must get. */
function unitAt(all: readonly string[], cursor: string): number {
  const [, offset = "", mark = "0"] = /-(\d+)(?:\.(\d+))?$/.exec(cursor) ?? []
  const place = all.findIndex((unit) => unit.startsWith(`${offset}.${mark} mark`))
  return place >= 0 ? place : all.findIndex((unit) => unit.startsWith(`${offset} byte`))
}
