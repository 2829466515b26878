import { formatCursor, parseStartPoint } from "@serialcast/contract"
import { expect, test } from "vitest"
import { ModelJournal } from "../testing/model-journal.ts"
import { History } from "./history.ts"
import { readHistory } from "./read-history.ts"

const epoch = "00000000000000aa"
const nextEpoch = "00000000000000bb"

/** `abcd`, a mark, `efgh`; then `ijkl` in a new epoch. */
function twoEpochs(): ModelJournal {
  const journal = new ModelJournal(epoch)
  journal.append(1, Buffer.from("abcd"))
  journal.mark(2)
  journal.append(3, Buffer.from("efgh"))
  journal.restart(nextEpoch)
  journal.append(4, Buffer.from("ijkl"))
  return journal
}

/** Bytes as they are, marks as `<n>`, gaps in brackets, and the cursor where it ended. */
async function read(journal: ModelJournal, from: string, to: string, signal = new AbortController().signal) {
  const history = new History(async (_, start, maxBytes) => journal.page(start, maxBytes), 4)
  const short = (text: string) => text.replace(/^0+/, "")
  const options = {
    history,
    stream: "rx",
    from: parseStartPoint(from),
    to: parseStartPoint(to),
    signal,
  } as const
  let text = ""
  let end = "nowhere"
  for await (const event of readHistory(options)) {
    end = event.cursor === null ? "unknown" : short(formatCursor(event.cursor))
    if (event.kind === "positioned") text += `@${end} `
    else if (event.kind === "bytes") text += Buffer.from(event.bytes).toString()
    else if (event.kind === "mark") text += `<${event.mark.n}>`
    else text += `[${short(event.gap.from)} ${short(event.gap.to)} ${event.gap.bytes}]`
  }
  return `${text} ${end}`
}

const boundary = "[aa-8 bb-0 null]"

test.each([
  ["start", "now", `@aa-0 abcd<0>efgh${boundary}ijkl bb-4`],
  [`${epoch}-2`, `${epoch}-7`, "@aa-2 cd<0>efg aa-7"],
  [`${epoch}-2`, `${epoch}-4`, "@aa-2 cd aa-4"],
  [`${epoch}-2`, `${epoch}-4.1`, "@aa-2 cd<0> aa-4.1"],
  [`${epoch}-4.1`, `${epoch}-5`, "@aa-4.1 e aa-5"],
  [`${epoch}-2`, `${epoch}-2`, "@aa-2  aa-2"],
  [`${epoch}-3`, `${epoch}-2`, "@aa-3  aa-3"],
  [`${epoch}-6`, `${nextEpoch}-2`, `@aa-6 gh${boundary}ij bb-2`],
  [`${epoch}-6`, `${epoch}-99`, `@aa-6 gh${boundary} bb-0`],
  [`${nextEpoch}-1`, `${nextEpoch}-99`, "@bb-1 jkl bb-4"],
  [`${nextEpoch}-4`, "now", "@bb-4  bb-4"],
  ["-2", "-1", "@bb-2 k bb-3"],
  ["1970-01-01T00:00:00.000003Z", "1970-01-01T00:00:00.000004Z", `@aa-4.1 efgh${boundary} bb-0`],
])("from %s to %s", async (from, to, expected) => {
  expect(await read(twoEpochs(), from, to)).toBe(expected)
})

test("bytes that end in the middle of a chunk have the times of their own reads only", async () => {
  const reads = [
    { offset: 2, timeUs: 20 },
    { offset: 3, timeUs: 30 },
  ]
  const records = [{ offset: 0, timeUs: 10, bytes: Uint8Array.of(1, 2, 3, 4), reads }]
  const [first, next] = [`${epoch}-0`, `${epoch}-4`]
  const history = new History(async () => ({ gap: null, first, records, next, head: next }))
  const read = async (to: string) => {
    const [from, end] = [first, to].map((place) => parseStartPoint(place))
    const { signal } = new AbortController()
    const events = []
    for await (const event of readHistory({ history, stream: "rx", from: from!, to: end!, signal }))
      if (event.kind === "bytes") events.push(event)
    return events
  }
  expect(await read(`${epoch}-3`)).toMatchObject([{ bytes: Uint8Array.of(1, 2, 3), reads: [reads[0]] }])
  expect((await read(`${epoch}-2`))[0]).not.toHaveProperty("reads")
})

test("what was dropped is a gap, also when it reaches beyond the end", async () => {
  const journal = twoEpochs()
  journal.evict(6)
  expect(await read(journal, `${epoch}-1`, `${epoch}-6`)).toBe("@aa-1 [aa-1 aa-5 4]f aa-6")
  expect(await read(journal, `${epoch}-1`, `${epoch}-3`)).toBe("@aa-1 [aa-1 aa-5 4] aa-5")
})

test("the head is the one of when it began, however fast the device goes on", async () => {
  const journal = new ModelJournal(epoch)
  journal.append(1, Buffer.from("abcdefgh"))
  const page = journal.page.bind(journal)
  journal.page = (...asked) => {
    const answer = page(...asked)
    journal.append(2, Buffer.from("more"))
    return answer
  }
  expect(await read(journal, `${epoch}-0`, "now")).toBe("@aa-0 abcdefgh aa-8")
})

test("an aborted one ends, and a refusal is thrown", async () => {
  expect(await read(twoEpochs(), "start", "now", AbortSignal.abort())).toBe(" nowhere")
  await expect(read(twoEpochs(), `${nextEpoch}-9`, "now")).rejects.toMatchObject({ code: "bad_cursor" })
})
