import {
  AppError,
  type Cursor,
  formatCursor,
  type HistoryPage,
  parseStartPoint,
  toAppError,
} from "@serialcast/contract"
import { createDeferred } from "@serialcast/primitives"
import { endOf, RecordRing } from "@serialcast/records"
import { countingBytes, seededRandom } from "@serialcast/testkit"
import { beforeEach, describe, expect, test } from "vitest"
import { ModelJournal } from "../testing/model-journal.ts"
import { type AskPage, History } from "./history.ts"
import { readHistory } from "./read-history.ts"

const epoch = "00000000000000aa"
const at = (offset: number, mark = 0): Cursor => ({ epoch, offset, mark })
const cursor = (offset: number) => ({ kind: "cursor", cursor: at(offset) }) as const

/** What was asked for, in order. */
let asked: string[]

beforeEach(() => {
  asked = []
})

function askRing(ring: RecordRing): AskPage {
  return async (_, from, maxBytes) => {
    asked.push(from)
    const start = parseStartPoint(from)
    const first = start.kind === "cursor" ? start.cursor : { epoch, ...ring.head }
    const records = start.kind === "cursor" ? ring.read(first, maxBytes) : []
    const next = { epoch, ...(records.length === 0 ? first : endOf(records.at(-1)!)) }
    const head = formatCursor({ epoch, ...ring.head })
    return { gap: null, first: formatCursor(first), records, next: formatCursor(next), head }
  }
}

function askJournal(journal: ModelJournal): AskPage {
  return async (_, from, maxBytes) => {
    asked.push(from)
    return journal.page(from, maxBytes)
  }
}

/** An agent that answers when it is told to. */
class SlowAgent {
  readonly waiting: { readonly from: string; readonly answer: () => void; readonly refuse: () => void }[] = []

  readonly #journal: ModelJournal

  constructor(journal: ModelJournal) {
    this.#journal = journal
  }

  readonly ask: AskPage = (_, from, maxBytes) => {
    const page = createDeferred<HistoryPage>()
    const answer = () => page.resolve(this.#journal.page(from, maxBytes))
    const refuse = () => page.reject(new AppError("no_reply", "The agent is away."))
    this.waiting.push({ from, answer, refuse })
    return page.promise
  }

  get asked(): string[] {
    return this.waiting.map(({ from }) => from.replace(`${epoch}-`, ""))
  }
}

async function settled(): Promise<void> {
  await new Promise(setImmediate)
}

function journalOf(bytes: number): ModelJournal {
  const journal = new ModelJournal(epoch)
  journal.append(0, new Uint8Array(bytes))
  return journal
}

/** Reads from an offset to the head; answers how many bytes came that are the ones of `truth` there. */
async function readRight(history: History, truth: Uint8Array, from: number): Promise<number> {
  const options = { stream: "rx", to: { kind: "now" }, signal: new AbortController().signal } as const
  let place = from
  for await (const event of readHistory({ history, from: cursor(from), ...options })) {
    if (event.kind !== "bytes") continue
    if (Buffer.compare(event.bytes, truth.subarray(place, place + event.bytes.byteLength)) !== 0) break
    place += event.bytes.byteLength
  }
  return place - from
}

test("a thousand readers at a thousand cursors need a request for each cell, and get exactly their bytes", async () => {
  const truth = countingBytes(0, 600_000)
  const ring = new RecordRing(10_000_000, at(0))
  for (let offset = 0; offset < truth.byteLength; offset += 4_000)
    ring.append({ offset, timeUs: 0, bytes: truth.subarray(offset, offset + 4_000) })
  const history = new History(askRing(ring))
  const random = seededRandom()
  const starts = Array.from({ length: 1_000 }, () => Math.floor(random.next() * truth.byteLength))
  const read = await Promise.all(starts.map((start) => readRight(history, truth, start)))
  const wanted = starts.map((start) => truth.byteLength - start)
  expect(read, `seed ${random.seed}`).toEqual(wanted)
  // Ten cells, and two questions for the head: of the first reader, and of all who asked meanwhile.
  expect(asked).toHaveLength(12)
})

test("hundreds of readers among marks, which make pages short, share those pages too", async () => {
  const truth = countingBytes(0, 60_000)
  const ring = new RecordRing(10_000_000, at(0))
  for (let offset = 0; offset < truth.byteLength; offset += 100) {
    ring.append({ offset, timeUs: 0, mark: { n: 0, kind: "closed", reason: "x".repeat(200) } })
    ring.append({ offset, timeUs: 0, bytes: truth.subarray(offset, offset + 100) })
  }
  const history = new History(askRing(ring))
  const random = seededRandom()
  const starts = Array.from({ length: 300 }, () => Math.floor(random.next() * truth.byteLength))
  const read = await Promise.all(starts.map((start) => readRight(history, truth, start)))
  const wanted = starts.map((start) => truth.byteLength - start)
  expect(read, `seed ${random.seed}`).toEqual(wanted)
  // Nine pages, if one reader asked for all.
  expect(asked.length, `seed ${random.seed}`).toBeLessThan(60)
})

test("readers that ask for the same start point at the same time share one request, later ones do not", async () => {
  const history = new History(askJournal(journalOf(10)), 4)
  const ask = () =>
    Promise.all(["start", "start", "-3"].map((from) => history.page("rx", parseStartPoint(from))))
  await ask()
  expect(asked).toEqual(["start", "-3"])
  await ask()
  expect(asked).toHaveLength(4)
})

test("readers that ask for now while it is asked for share the next request: none gets what came before it asked", async () => {
  const journal = journalOf(10)
  const agent = new SlowAgent(journal)
  const history = new History(agent.ask, 4)
  const now = () => history.page("rx", parseStartPoint("now"))
  const first = now()
  agent.waiting[0]!.answer()
  // The answer is on its way.
  journal.append(11, Buffer.from("more"))
  const later = Array.from({ length: 1_000 }, now)
  expect((await first).asked.offset).toBe(10)
  await new Promise(setImmediate)
  agent.waiting[1]!.answer()
  expect(new Set((await Promise.all(later)).map(({ asked: { offset } }) => offset))).toEqual(new Set([14]))
  expect(agent.waiting).toHaveLength(2)
})

test("both streams have pages of their own", async () => {
  const history = new History(askJournal(journalOf(10)), 4)
  await Promise.all([history.page("rx", cursor(1)), history.page("tx", cursor(1))])
  expect(asked).toHaveLength(2)
})

describe("fetching ahead", () => {
  test("begins with a reader that goes from cell to cell, and is at most four requests", async () => {
    const agent = new SlowAgent(journalOf(100))
    const history = new History(agent.ask, 4)
    const first = history.page("rx", cursor(1))
    await settled()
    agent.waiting.shift()!.answer()
    await first
    expect(agent.asked).toEqual([])
    const second = history.page("rx", cursor(4))
    await settled()
    agent.waiting.shift()!.answer()
    await second
    expect(agent.asked).toEqual(["8", "12", "16", "20"])
    for (const { answer } of agent.waiting.splice(0)) answer()
    await settled()
    await history.page("rx", cursor(8))
    expect(agent.asked).toEqual(["24"])
  })

  test("stops before the cell of the head, whose page nobody could keep", async () => {
    const history = new History(askJournal(journalOf(15)), 4)
    await history.page("rx", cursor(0))
    await settled()
    expect(asked).toEqual([0, 4, 8].map((offset) => formatCursor(at(offset))))
  })

  test("stops when nobody takes what was fetched, and goes on when somebody does", async () => {
    const journal = journalOf(4_000)
    const history = new History(askJournal(journal), 4)
    // Readers that come once, each to another part.
    for (let reader = 0; reader < 20; reader++) await history.page("rx", cursor(reader * 80)).then(settled)
    const ahead = asked.length - 20
    expect([ahead >= 32, ahead < 36]).toEqual([true, true])
    for (const offset of [4, 8, 12, 16]) await history.page("rx", cursor(offset)).then(settled)
    expect(asked.length - 20).toBeGreaterThan(ahead)
  })

  test("that fails is nobody's failure", async () => {
    const agent = new SlowAgent(journalOf(100))
    const history = new History(agent.ask, 4)
    const page = history.page("rx", cursor(0))
    await settled()
    agent.waiting.shift()!.answer()
    await page
    for (const { refuse } of agent.waiting.splice(0)) refuse()
    await settled()
    const next = history.page("rx", cursor(4))
    await settled()
    agent.waiting.shift()!.answer()
    expect((await next).first).toEqual(at(4))
  })
})

test("at most four requests are on their way; when nobody answers, those that wait are told at once", async () => {
  const agent = new SlowAgent(journalOf(100))
  const history = new History(agent.ask, 4)
  const codes = Array.from({ length: 10 }, (_, cell) =>
    history.page("rx", cursor(4 * cell)).then(
      () => "answered",
      (error: unknown) => toAppError(error).code,
    ),
  )
  await settled()
  expect(agent.asked).toEqual(["0", "4", "8", "12"])
  for (const { refuse } of agent.waiting.splice(0)) refuse()
  expect(await Promise.all(codes)).toEqual(Array.from({ length: 10 }, () => "no_reply"))
  expect(agent.asked).toEqual([])
})

test("a page that ends at the head is kept for its bytes; whoever has them all is told of what came since", async () => {
  const journal = journalOf(6)
  const history = new History(askJournal(journal), 4)
  const pageAt = async (offset: number) => {
    const { first, next, isLast } = await history.page("rx", cursor(offset))
    return `${first.offset} to ${next.offset}${isLast ? ", the head" : ""}`
  }
  expect(await pageAt(5)).toBe("4 to 6, the head")
  journal.append(1, new Uint8Array(1))
  expect(await pageAt(5)).toBe("4 to 6")
  expect(asked).toHaveLength(1)
  expect(await pageAt(6)).toBe("6 to 7, the head")
  expect(await pageAt(7)).toBe("7 to 7, the head")
  journal.append(2, new Uint8Array(3))
  expect(await pageAt(7)).toBe("7 to 10, the head")
  // Not the whole cell again: what is there already leads to it.
  expect(asked).toEqual([4, 6, 7, 7].map((offset) => formatCursor(at(offset))))
})

test("a cursor beyond the head is refused, although its cell is there", async () => {
  const history = new History(askJournal(journalOf(6)), 4)
  await expect(history.page("rx", cursor(7))).rejects.toMatchObject({ code: "bad_cursor" })
  await expect(history.page("rx", cursor(70))).rejects.toMatchObject({ code: "bad_cursor" })
  // The refusal is of what the reader asked for, and not of where its cell starts.
  expect(asked.at(-1)).toBe(formatCursor(at(70)))
})

test("what is kept is bounded: reading much lets go of what was read first", async () => {
  const size = 80 * 60_000
  const ring = new RecordRing(2 * size, at(0))
  for (let offset = 0; offset < size; offset += 60_000)
    ring.append({ offset, timeUs: 0, bytes: new Uint8Array(60_000) })
  const history = new History(askRing(ring))
  await readRight(history, new Uint8Array(size), 0)
  const before = asked.length
  await history.page("rx", cursor(size - 120_000))
  expect(asked.length).toBe(before)
  await history.page("rx", cursor(0))
  expect(asked.length).toBeGreaterThan(before)
})
