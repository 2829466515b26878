import { isMarkRecord, type StreamRecord } from "@serialcast/contract"
import fc from "fast-check"
import { expect, test } from "vitest"
import { ModelJournal } from "../testing/model-journal.ts"
import { LiveWindow } from "./live-window.ts"

const epoch = "00000000000000aa"
const place = fc.nat({ max: 1_000 })

/** What a journal published, in order: chunks, marks and announced heads. */
const published = fc
  .array(fc.oneof(fc.nat({ max: 5 }), fc.constantFrom("mark", "announce")), { maxLength: 30 })
  .map((actions) => {
    const journal = new ModelJournal(epoch)
    return actions.map((action, at) => {
      if (action === "mark") return journal.mark(at)
      if (action === "announce" || action === 0) return journal.announce(at)
      return journal.append(
        at,
        Uint8Array.from({ length: Number(action) }, (_, byte) => journal.head.offset + byte),
      )
    })
  })

const unitsOf = (record: StreamRecord): string[] =>
  isMarkRecord(record)
    ? [`${record.offset} mark ${record.mark.n}`]
    : [...record.bytes].map((byte, at) => `${record.offset + at} byte ${byte}`)

test("whatever is lost, doubled or late, the window holds a stretch of what was published, without holes", () => {
  const channel = fc.tuple(published, fc.array(place, { maxLength: 60 }))
  fc.assert(
    fc.property(channel, ([sent, picks]) => {
      const window = new LiveWindow(100_000)
      // Any order, with repeats and losses; mostly forward, as a network does.
      const arrived = picks.map((pick, at) => sent[(at + (pick % 3) - 1) % Math.max(1, sent.length)])
      for (const record of arrived) {
        if (record !== undefined) window.receive({ epoch, stream: "rx", record })
      }
      if (window.view === null) return
      const held = window.view.ring.read(window.view.ring.start, 100_000).flatMap(unitsOf)
      const all = sent.flatMap(unitsOf)
      const from = all.indexOf(held[0] ?? "")
      expect(held).toEqual(held.length === 0 ? [] : all.slice(from, from + held.length))
    }),
    { numRuns: 500 },
  )
})

test("with nothing lost it holds everything, repeats or not", () => {
  fc.assert(
    fc.property(published, (sent) => {
      const window = new LiveWindow(100_000)
      for (const record of sent.flatMap((sentOnce) => [sentOnce, sentOnce]))
        window.receive({ epoch, stream: "rx", record })
      const held = window.view?.ring.read({ offset: 0, mark: 0 }, 100_000) ?? []
      expect(held.flatMap(unitsOf)).toEqual(sent.flatMap(unitsOf))
    }),
  )
})

test("a chunk whose marks were lost starts the window anew behind them", () => {
  const journal = new ModelJournal(epoch)
  const window = new LiveWindow(1_000)
  const receive = (record: StreamRecord) => window.receive({ epoch, stream: "rx", record })
  receive(journal.append(0, Uint8Array.of(1)))
  journal.mark(1)
  receive(journal.append(2, Uint8Array.of(2)))
  expect(window.view?.ring.start).toEqual({ offset: 1, mark: 1 })
  journal.mark(3)
  receive(journal.announce(4))
  expect(window.view?.ring.start).toEqual({ offset: 2, mark: 1 })
})

test("another epoch starts the window anew", () => {
  const window = new LiveWindow(1_000)
  const record = { offset: 0, timeUs: 0, bytes: Uint8Array.of(1) }
  window.receive({ epoch, stream: "rx", record })
  window.receive({ epoch: "00000000000000bb", stream: "rx", record: { ...record, offset: 5 } })
  expect(window.view).toMatchObject({
    epoch: "00000000000000bb",
    ring: { start: { offset: 5 }, head: { offset: 6 } },
  })
})

test("readers at the same place get the very same events, until more comes in", () => {
  const window = new LiveWindow(1_000)
  const receive = (offset: number) =>
    window.receive({ epoch, stream: "rx", record: { offset, timeUs: 0, bytes: Uint8Array.of(1, 2) } })
  receive(0)
  receive(2)
  const [one] = window.view!.read({ offset: 1, mark: 0 })
  expect(one).toMatchObject({ offset: 1, bytes: Uint8Array.of(2, 1, 2) })
  expect(window.view!.read({ offset: 1, mark: 0 })[0]).toBe(one)
  expect(window.view!.read({ offset: 2, mark: 0 })).toMatchObject([{ offset: 2, bytes: Uint8Array.of(1, 2) }])
  receive(4)
  expect(window.view!.read({ offset: 1, mark: 0 })).toMatchObject([{ bytes: Uint8Array.of(2, 1, 2, 1, 2) }])
  expect(window.view!.read({ offset: 6, mark: 0 })).toEqual([])
})

test("bytes are kept without the network buffer that they came in", () => {
  const window = new LiveWindow(1_000)
  const bytes = new Uint8Array(65_536).subarray(100, 110)
  window.receive({ epoch, stream: "rx", record: { offset: 0, timeUs: 0, bytes } })
  const [kept] = window.view!.ring.read({ offset: 0, mark: 0 }, 100)
  expect("bytes" in kept! && kept.bytes.buffer.byteLength).toBe(10)
})
