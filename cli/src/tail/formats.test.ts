import { parseCursor } from "@serialcast/contract"
import type { StreamEvent } from "@serialcast/device-stream"
import { seededRandom } from "@serialcast/testkit"
import { describe, expect, test } from "vitest"
import { createFormat, type FormatName } from "./choose-format.ts"
import { LinesFormat } from "./lines-format.ts"
import { byRead, takeBytes } from "./take-bytes.ts"

const epoch = "00000000000000aa"
const timeUs = Date.parse("2030-01-02T03:04:05Z") * 1000
const time = "2030-01-02T03:04:05.000000Z"
const gap: StreamEvent = {
  kind: "gap",
  cursor: { epoch, offset: 9, mark: 0 },
  gap: { from: `${epoch}-3`, to: `${epoch}-9`, bytes: 6, reason: "evicted" },
}

function bytesAt(offset: number, bytes: Uint8Array): StreamEvent {
  const cursor = { epoch, offset: offset + bytes.byteLength, mark: 0 }
  return { kind: "bytes", cursor, offset, timeUs, bytes }
}

function eventsOf(...parts: readonly string[]): StreamEvent[] {
  let offset = 0
  return parts.map((part) => {
    const bytes = new TextEncoder().encode(part)
    offset += bytes.byteLength
    return bytesAt(offset - bytes.byteLength, bytes)
  })
}

function show(name: Exclude<FormatName, "lines">, events: readonly StreamEvent[], hasTimes = false): string {
  const format = createFormat(name, { hasTimes })
  return events.map((event) => format.show(event)).join("") + format.end()
}

describe("text", () => {
  test("no byte of a device steers the terminal: all but tab and line end come out visible", () => {
    const all = Uint8Array.from({ length: 256 }, (_, byte) => byte)
    const hostile = "\u001b]0;owned\u0007\u009b2J\u202egnp.exe"
    const lines = [all, new TextEncoder().encode(hostile)].map((bytes) => showLine({ bytes }))
    for (const shown of [show("text", [bytesAt(0, all), ...eventsOf(hostile)]), lines.join("")]) {
      // oxlint-disable-next-line eslint/no-control-regex -- they are what must not be there
      expect(shown).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/)
      expect(shown).toContain("\\x1B]0;owned\\x07\\x9B2J\\u202Egnp.exe")
    }
  })

  test("wherever the chunks split it, the text is the same", () => {
    const bytes = new TextEncoder().encode("21.9 °C\r\nlone \r, €uro\r\n\r")
    const whole = show("text", [bytesAt(0, bytes)])
    expect(whole).toBe("21.9 °C\nlone \\x0D, €uro\n\\x0D")
    for (let at = 1; at < bytes.byteLength; at++) {
      const parts = [bytesAt(0, bytes.subarray(0, at)), bytesAt(at, bytes.subarray(at))]
      expect(show("text", parts)).toBe(whole)
    }
  })

  test("each line begins with the time of its first byte", () => {
    expect(show("text", eventsOf("a\r\nb", "c\n", "d"), true)).toBe(`${time} a\n${time} bc\n${time} d`)
  })

  test("what was held back before a gap is shown before it", () => {
    const format = createFormat("text", { hasTimes: false })
    format.show(bytesAt(0, Uint8Array.of(0x41, 0xe2, 0x82)))
    expect(format.show(gap)).toBe("\ufffd")
    expect(format.show(bytesAt(9, Uint8Array.of(0xac)))).toBe("\ufffd")
  })
})

function showLine(
  { bytes, isCut = false }: { readonly bytes: Uint8Array; readonly isCut?: boolean },
  hasTimes = false,
): string {
  const cursor = { epoch, offset: bytes.byteLength, mark: 0 }
  return new LinesFormat({ hasTimes }).show({ kind: "message", cursor, offset: 0, timeUs, bytes, isCut })
}

test("lines are messages, one on each line, and say when they are not whole", () => {
  const encode = (text: string) => new TextEncoder().encode(text)
  expect(showLine({ bytes: encode("21.9 °C") })).toBe("21.9 °C\n")
  expect(showLine({ bytes: encode("21.9"), isCut: true }, true)).toBe(`${time} 21.9…\n`)
  expect(showLine({ bytes: encode("a\r\nb") })).toBe("a\\x0D\\x0Ab\n")
  expect(new LinesFormat({ hasTimes: true }).show({ kind: "positioned", cursor: null })).toBe("")
})

test("hex shows place, bytes and what of them is ASCII", () => {
  const bytes = Uint8Array.from({ length: 18 }, (_, at) => at + 0x30)
  expect(show("hex", [bytesAt(4094, bytes)])).toBe(
    "00000ffe  30 31 32 33 34 35 36 37 38 39 3A 3B 3C 3D 3E 3F  |0123456789:;<=>?|\n" +
      "0000100e  40 41                                            |@A|\n",
  )
  expect(show("hex", [bytesAt(0, Uint8Array.of(0x1b, 0x41, 0x80))], true)).toMatch(
    `${time} 00000000  1B 41 80`,
  )
})

test("raw is the bytes, whatever their chunks", () => {
  const format = createFormat("raw", { hasTimes: false })
  const bytes = seededRandom(7).bytes(1000)
  expect(format.show(bytesAt(0, bytes))).toEqual(bytes)
  expect(format.show(gap)).toHaveLength(0)
})

test("json is one event a line, with the cursor after it, and only ASCII", () => {
  const mark: StreamEvent = {
    kind: "mark",
    cursor: { epoch, offset: 2, mark: 1 },
    timeUs,
    mark: { kind: "closed", n: 0, reason: "\u009b2J €" },
  }
  const text = show("json", [{ kind: "positioned", cursor: null }, ...eventsOf("\u001b€"), mark, gap])
  expect(text).toMatch(/^[\u0020-\u007e\n]*$/)
  const lines = text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { cursor: string | null })
  expect(lines).toMatchObject([
    { event: "positioned", cursor: null },
    { event: "bytes", cursor: `${epoch}-4`, offset: 0, time, hex: "1BE282AC" },
    { event: "mark", cursor: `${epoch}-2.1`, time, mark: { kind: "closed", reason: "\u009b2J €" } },
    { event: "gap", cursor: `${epoch}-9`, gap: { bytes: 6, reason: "evicted" } },
  ])
  for (const { cursor } of lines.slice(1)) expect(parseCursor(cursor!)).toBeDefined()
})

const options = { signal: new AbortController().signal }

async function collect(events: AsyncIterable<StreamEvent>): Promise<StreamEvent[]> {
  const collected: StreamEvent[] = []
  for await (const event of events) collected.push(event)
  return collected
}

test("after so many bytes the events end, the last one cut, its cursor too", async () => {
  const device = {
    async *read() {
      yield* eventsOf("abc", "def")
      throw new Error("one event too many was asked for")
    },
  }
  expect(await collect(takeBytes(device, 4).read(options))).toMatchObject([
    { offset: 0, cursor: { offset: 3 } },
    { offset: 3, bytes: Uint8Array.of(0x64), cursor: { offset: 4 } },
  ])
})

test("what is read again before the first reading's start does not count", async () => {
  const start: StreamEvent = { kind: "positioned", cursor: { epoch, offset: 4, mark: 0 } }
  const readings = [[start], eventsOf("abc", "def", "ghi")]
  const device = {
    async *read() {
      yield* readings.shift() ?? []
    },
  }
  const limited = takeBytes(device, 3)
  expect(await collect(limited.read(options))).toEqual([start])
  const events = await collect(limited.read(options))
  expect(show("text", events)).toBe("abcdefg")
})

test("what tells times tells each read of the port, with its place", async () => {
  async function* joined(): AsyncGenerator<StreamEvent> {
    const [event] = eventsOf("a\nb\nc")
    const reads = [
      { offset: 2, timeUs: timeUs + 1_000_000 },
      { offset: 4, timeUs: timeUs + 2_000_000 },
    ]
    yield { ...event!, reads } as StreamEvent
  }
  const events = await collect(byRead(joined()))
  expect(show("text", events, true)).toBe(
    [0, 1, 2].map((second) => `2030-01-02T03:04:0${5 + second}.000000Z ${"abc"[second]}`).join("\n"),
  )
  expect(events.map(({ cursor }) => cursor?.offset)).toEqual([2, 4, 5])
})

test("reads of bytes that are cut off are not told, and the last place is where the bytes end", async () => {
  const device = {
    async *read(): AsyncGenerator<StreamEvent> {
      const [event] = eventsOf("abcdefghi")
      const reads = [3, 6].map((offset) => ({ offset, timeUs: timeUs + offset }))
      yield { ...event!, reads } as StreamEvent
    },
  }
  const events = await collect(byRead(takeBytes(device, 4).read(options)))
  expect(events.map(({ cursor }) => cursor?.offset)).toEqual([3, 4])
})
