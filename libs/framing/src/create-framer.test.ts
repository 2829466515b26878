import { type Framing, framingSchema, type Mark } from "@serialcast/contract"
import { concatBytes } from "@serialcast/primitives"
import { countingBytes, seededRandom } from "@serialcast/testkit"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { createFramer, type Framer, lookBackBytes } from "./create-framer.ts"
import type { Frame } from "./frame-builder.ts"

const line = { type: "line", maxBytes: 8 } as const
const delimiter = { type: "delimiter", delimiter: "0A0B0A0C", maxBytes: 8 } as const
const fixed = { type: "fixed", length: 3 } as const
const idle = { type: "idle", idleMs: 5, maxBytes: 8 } as const
const slip = { type: "slip", maxBytes: 8 } as const
const all: readonly Framing[] = [line, delimiter, fixed, idle, slip]

const latin = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0))
const text = (bytes: Uint8Array) => String.fromCharCode(...bytes)

interface TimedChunk {
  readonly bytes: Uint8Array
  readonly timeUs: number
}

function pushAll(framer: Framer, chunks: readonly TimedChunk[], start = 0): Frame[] {
  let offset = start
  return chunks.flatMap(({ bytes, timeUs }) => {
    const frames = framer.push(bytes, { offset, timeUs })
    offset += bytes.byteLength
    return frames
  })
}

/** Each frame's text; a cut one ends with `✂`. */
function cutText(framing: Framing, sent: string): string[] {
  const framer = createFramer(framing)
  const frames = [
    ...pushAll(framer, [{ bytes: latin(sent), timeUs: 1 }]),
    ...framer.flush({ kind: "opened" }),
  ]
  return frames.map(({ bytes, isCut }) => text(bytes) + (isCut ? "✂" : ""))
}

describe("lines", () => {
  test.each([
    ["a\nb\n", ["a", "b"]],
    ["a\r\n\r\n\nb\n", ["a", "", "", "b"]],
    ["a\rb\r\r\nc\n", ["a\rb\r", "c"]],
    ["12345678\n12345678\r\n", ["12345678", "12345678"]],
    ["123456789\n", ["12345678✂", "9✂"]],
    ["123456789\nab\n", ["12345678✂", "9✂", "ab"]],
    ["12345678\r9\n", ["12345678✂", "\r9✂"]],
    ["unfinished", ["unfinish✂", "ed✂"]],
    ["a\r", ["a\r✂"]],
    ["", []],
  ])("%j", (sent, expected) => expect(cutText(line, sent)).toEqual(expected))
})

describe("messages with a delimiter", () => {
  test.each([
    ["a\n\v\n\fb\n\v\n\f", ["a", "b"]],
    ["\n\v\n\f\n\v\n\f", ["", ""]],
    // Its own begin comes again inside the delimiter.
    ["a\n\v\n\v\n\f", ["a\n\v"]],
    ["\n\n\n\v\n\f", ["\n\n"]],
    ["12345678\n\v\n\f", ["12345678"]],
    ["12345678\n\v\n9\n\v\n\f", ["12345678✂", "\n\v\n9✂"]],
    ["12\n\v", ["12\n\v✂"]],
  ])("%j", (sent, expected) => expect(cutText(delimiter, sent)).toEqual(expected))
})

describe("SLIP (RFC 1055)", () => {
  test.each([
    ["\xc0ab\xc0\xc0c\xc0", ["ab", "c"]],
    ["a\xdb\xdcb\xdb\xddc\xc0", ["a\xc0b\xdbc"]],
    // The violation stays in the message, and the next one is whole again.
    ["a\xdbb\xc0cd\xc0", ["a\xdbb✂", "cd"]],
    ["a\xdb\xc0cd\xc0", ["a\xdb✂", "cd"]],
    ["\xdb\xdb\xdc\xc0", ["\xdb\xc0✂"]],
    ["1234567\xdb\xdd\xc0", ["1234567\xdb"]],
    ["12345678\xdb\xdd\xc0", ["12345678✂", "\xdb✂"]],
    ["12\xdb", ["12\xdb✂"]],
    ["\xc0\xc0", []],
  ])("%j", (sent, expected) => expect(cutText(slip, sent)).toEqual(expected))
})

test("fixed messages are counted from where the framer starts", () => {
  expect(cutText(fixed, "abcdefgh")).toEqual(["abc", "def", "gh✂"])
})

test("fixed messages of who comes in the middle are those counted from the opening; where it is not known, all are cut", () => {
  const read = (anchorAt: (offset: number) => number | undefined) => {
    const framer = createFramer(fixed, { startsInside: true, anchorAt })
    const frames = pushAll(framer, [{ bytes: latin("abcdefgh"), timeUs: 1 }], 7)
    const opened = [
      ...framer.flush({ kind: "opened" }),
      ...pushAll(framer, [{ bytes: latin("ijk"), timeUs: 1 }], 15),
    ]
    return [...frames, ...opened].map(({ bytes, isCut }) => text(bytes) + (isCut ? "✂" : ""))
  }
  expect(read(() => 3)).toEqual(["ab✂", "cde", "fgh", "ijk"])
  expect(read(() => undefined)).toEqual(["abc✂", "def✂", "gh✂", "ijk"])
})

test("what follows on bytes that are missing is cut, up to the next message", () => {
  const rest = (framing: Framing, sent: string) => {
    const framer = createFramer(framing)
    framer.push(latin("1"), { offset: 0, timeUs: 1 })
    framer.flush({ kind: "lost" })
    const frames = framer.push(latin(sent), { offset: 9, timeUs: 2 })
    return frames.map(({ bytes, isCut }) => text(bytes) + (isCut ? "✂" : ""))
  }
  expect(rest(line, "2\n3\n")).toEqual(["2✂", "3"])
  expect(rest(delimiter, "2\n\v\n\f3\n\v\n\f")).toEqual(["2✂", "3"])
  expect(rest(slip, "2\xc03\xc0")).toEqual(["2✂", "3"])
  expect(rest(slip, "\xc03\xc0")).toEqual(["3"])
  const framer = createFramer(idle)
  framer.push(latin("1"), { offset: 0, timeUs: 1 })
  framer.flush({ kind: "lost" })
  const chunks = ["2", "3", "4"].map((sent, n) => ({ bytes: latin(sent), timeUs: 10_000 * n }))
  expect(pushAll(framer, chunks, 9).map(({ isCut }) => isCut)).toEqual([true, false])
})

test("a silence is over when the reads say so, and what goes on after one that was not is cut", () => {
  const framer = createFramer(idle)
  framer.push(latin("ab"), { offset: 0, timeUs: 10_000 })
  expect(framer.quiet(14_999)).toEqual([])
  expect(framer.quiet(15_000)).toMatchObject([{ bytes: latin("ab"), isCut: false }])
  expect(framer.quiet(30_000)).toEqual([])
  const chunks = [
    { bytes: latin("c"), timeUs: 14_000 },
    { bytes: latin("d"), timeUs: 20_000 },
  ]
  expect(pushAll(framer, chunks, 2)).toMatchObject([{ bytes: latin("c"), isCut: true }])
  expect(framer.flush("silence")).toMatchObject([{ bytes: latin("d"), isCut: false }])
  for (const other of [line, delimiter, fixed, slip]) {
    const never = createFramer(other)
    never.push(latin("a"), { offset: 0, timeUs: 1 })
    expect(never.quiet(1e15)).toEqual([])
  }
})

describe("what follows on an opening", () => {
  const read = (framing: Framing, before: string, after: string) => {
    const framer = createFramer(framing)
    const frames = [
      ...pushAll(framer, [{ bytes: latin(before), timeUs: 1_000 }]),
      ...framer.flush({ kind: "closed", timeUs: 2_000 }),
      ...framer.flush({ kind: "opened", timeUs: 9_000 }),
      ...pushAll(framer, [{ bytes: latin(after), timeUs: 10_000 }], before.length),
    ]
    return frames.map(({ bytes, isCut }) => text(bytes) + (isCut ? "✂" : ""))
  }

  test.each([
    [line, "a\n", "b\nc\n", ["a", "b", "c"]],
    [slip, "a\xc0", "b\xc0c\xc0", ["a", "b", "c"]],
    [delimiter, "", "b\n\v\n\fc\n\v\n\f", ["b", "c"]],
    [fixed, "aaa", "bbbccc", ["aaa", "bbb", "ccc"]],
  ] as const)("begins a message: %j %j %j", (framing, before, after, expected) => {
    expect(read(framing, before, after)).toEqual(expected)
  })

  test.each([
    [line, "a\n-12", "1.5\nb\n", ["a", "-12✂", "1.5✂", "b"]],
    [line, "a\r", "\nb\n", ["a\r✂", "b"]],
    [slip, "ab", "c\xc0d\xc0", ["ab✂", "c✂", "d"]],
    [delimiter, "a\n", "\v\n\fb\n\v\n\f", ["a\n✂", "\v\n\fb✂"]],
  ] as const)("may be the rest of a message that was cut: %j %j %j", (framing, before, after, expected) => {
    expect(read(framing, before, after)).toEqual(expected)
  })

  test("is counted anew where messages have a fixed length", () => {
    expect(read(fixed, "aaab", "cccddd")).toEqual(["aaa", "b✂", "ccc", "ddd"])
  })

  test("is a message of its own after a silence, and so is what was read before the port was silent for long enough", () => {
    const framer = createFramer(idle)
    framer.push(latin("a"), { offset: 0, timeUs: 1_000 })
    expect(framer.flush({ kind: "closed", timeUs: 6_000 })).toMatchObject([{ isCut: false }])
    framer.flush({ kind: "opened", timeUs: 20_000 })
    framer.push(latin("b"), { offset: 1, timeUs: 21_000 })
    // Killed: nobody knows how long the port was read.
    expect(framer.flush({ kind: "opened", timeUs: 90_000 })).toMatchObject([{ isCut: true }])
    const chunks = [
      { bytes: latin("c"), timeUs: 95_000 },
      { bytes: latin("d"), timeUs: 99_999 },
      { bytes: latin("e"), timeUs: 105_000 },
    ]
    expect(pushAll(framer, chunks, 2)).toMatchObject([{ bytes: latin("cd"), isCut: false }])
    framer.flush({ kind: "opened", timeUs: 200_000 })
    const soon = [
      { bytes: latin("f"), timeUs: 204_999 },
      { bytes: latin("g"), timeUs: 210_000 },
    ]
    expect(pushAll(framer, soon, 5)).toMatchObject([{ bytes: latin("f"), isCut: true }])
  })
})

test("the reads of a chunk are as good as chunks", () => {
  const bytes = latin("abcdef")
  const reads = [
    { offset: 12, timeUs: 4_999 },
    { offset: 14, timeUs: 9_999 },
  ]
  const frames = createFramer(idle).push(bytes, { offset: 10, timeUs: 1, reads })
  expect(frames).toEqual([{ bytes: latin("abcd"), offset: 10, end: 14, timeUs: 1, isCut: false }])
})

test("a silence between two chunks ends an idle message, and so does one that the caller sees", () => {
  const framer = createFramer(idle)
  const chunks = [
    { bytes: latin("ab"), timeUs: 10_000 },
    { bytes: latin("cd"), timeUs: 14_999 },
    { bytes: latin("ef"), timeUs: 19_999 },
  ]
  const whole = { end: 4, timeUs: 10_000, isCut: false }
  expect(pushAll(framer, chunks)).toEqual([{ bytes: latin("abcd"), offset: 0, ...whole }])
  expect([framer.idleMs, framer.isHolding]).toEqual([5, true])
  const last = { bytes: latin("ef"), offset: 4, end: 6, timeUs: 19_999, isCut: false }
  expect(framer.flush("silence")).toEqual([last])
  expect([framer.isHolding, framer.flush("silence")]).toEqual([false, []])
})

test("a frame has the place of its first byte, though its begin was taken for the end of the one before", () => {
  const framer = createFramer({ type: "delimiter", delimiter: "0A0B", maxBytes: 2 })
  const frames = pushAll(
    framer,
    ["a", "b", "\n", "c", "\n", "\v"].map((sent, at) => ({ bytes: latin(sent), timeUs: at })),
  )
  expect(frames).toEqual([
    { bytes: latin("ab"), offset: 0, end: 2, timeUs: 0, isCut: true },
    { bytes: latin("\nc"), offset: 2, end: 6, timeUs: 2, isCut: true },
  ])
})

/** What a framer gives that looks back from `start`, and skips to there. */
function framesAfter(framing: Framing, bytes: readonly TimedChunk[], start: number): Frame[] {
  const back = framing.type === "fixed" ? framing.length : lookBackBytes(framing)
  const first = Math.max(0, start - back)
  const framer = createFramer(framing, { startsInside: first > 0, anchorAt: () => 0 })
  pushAll(framer, bytes.slice(first, start), first)
  framer.skipTo(start)
  const frames = [...pushAll(framer, bytes.slice(start), start), ...framer.flush({ kind: "opened" })]
  return frames.filter(({ end }) => end > start)
}

/** Bytes that often are, or nearly are, the end of something. */
const noisy = fc.array(fc.constantFrom(0x0a, 0x0b, 0x0c, 0x0d, 0xc0, 0xdb, 0xdc, 0xdd, 0x41), {
  maxLength: 60,
})

describe.each(all.map((framing) => [framing.type, framing] as const))("%s framing", (_type, framing) => {
  const frameAll = (chunks: readonly TimedChunk[]) => {
    const framer = createFramer(framing)
    return [...pushAll(framer, chunks), ...framer.flush({ kind: "opened" })]
  }
  const timeOf = (at: number) => at * 700 + (at % 7 === 0 ? 4_900 : 0)
  const singles = (bytes: Uint8Array) =>
    Array.from(bytes, (byte, at) => ({ bytes: Uint8Array.of(byte), timeUs: timeOf(at) }))

  test("gives the same frames wherever the bytes are split", () => {
    const sent = latin("ab\n\v\n\fcdefghijkl\r\n\xc0\xdb\xdc\xdb\xdd\xdbx\xc0\n\v\n\n\v\n\f\r\r\nend")
    const whole = frameAll([{ bytes: sent, timeUs: 1 }])
    for (let at = 0; at <= sent.byteLength; at++) {
      const halves = [sent.subarray(0, at), sent.subarray(at)]
      expect(frameAll(halves.map((bytes) => ({ bytes, timeUs: 1 })))).toEqual(whole)
    }
    expect(frameAll(Array.from(sent, (byte) => ({ bytes: Uint8Array.of(byte), timeUs: 1 })))).toEqual(whole)
  })

  test("leaves out no byte but ends, overlaps nothing, and has the same rest for who comes at any frame's end", () => {
    fc.assert(
      fc.property(noisy, (values) => {
        const sent = Uint8Array.from(values)
        const frames = frameAll(singles(sent))
        for (const [n, { offset, end }] of frames.entries()) {
          expect(offset).toBeGreaterThanOrEqual(frames[n - 1]?.end ?? 0)
          expect(end).toBeGreaterThanOrEqual(offset)
          expect(framesAfter(framing, singles(sent), end)).toEqual(frames.slice(n + 1))
        }
        if (framing.type === "fixed" || framing.type === "idle")
          expect(concatBytes(frames.map(({ bytes }) => bytes))).toEqual(sent)
      }),
    )
  })

  test("gives who comes anywhere the messages of all others, the first one too, and marks what is none of them", () => {
    fc.assert(
      fc.property(noisy, fc.nat(60), (values, at) => {
        const sent = singles(Uint8Array.from(values))
        const start = Math.min(at, sent.length)
        const isWhole = ({ isCut, end }: Frame) => !isCut && end > start
        const all = createFramer(framing)
        const frames = [...pushAll(all, sent), ...all.flush({ kind: "opened" })]
        expect(framesAfter(framing, sent, start).filter(isWhole)).toEqual(frames.filter(isWhole))
      }),
    )
  })

  test("takes any corruption, and is in step again soon after it", () => {
    const random = seededRandom()
    const messages = Array.from({ length: 200 }, (_, n) => latin(`m${n}`))
    const ends = { line: "\r\n", delimiter: "\n\v\n\f", fixed: "", idle: "", slip: "\xc0" }
    const clean = messages.map((bytes) => concatBytes([bytes, latin(ends[framing.type])]))
    const sent = concatBytes(clean)
    for (let hits = 0; hits < 20; hits++)
      sent[Math.floor(random.next() * (sent.byteLength / 2))] = random.bytes(1)[0] ?? 0
    const chunks = [{ bytes: sent, timeUs: 1 }]
    const frames = frameAll(chunks)
    for (const { bytes } of frames) expect(bytes.byteLength).toBeLessThanOrEqual(8)
    if (ends[framing.type] === "") return
    const tail = frames.slice(-50).map(({ bytes }) => text(bytes))
    expect(tail, `seed ${random.seed}`).toEqual(messages.slice(-50).map(text))
  })

  test("holds no more than a message of 10 MB without an end, and gives all of it in pieces", () => {
    const framer = createFramer(framing)
    let bytes = 0
    for (let at = 0; at < 10_000_000; at += 100_000) {
      // No two neighbours of these are an end in any framing.
      const frames = framer.push(new Uint8Array(100_000).fill(0x41), { offset: at, timeUs: 1 })
      for (const frame of frames) bytes += frame.bytes.byteLength
      expect(at + 100_000 - bytes).toBeLessThanOrEqual(8)
    }
  })
})

test("frames keep their bytes, whatever becomes of the chunk and of the next frames", () => {
  const framer = createFramer({ type: "fixed", length: 8 })
  const chunk = countingBytes(0, 16)
  const [first] = framer.push(chunk, { offset: 0, timeUs: 1 })
  chunk.fill(0xff)
  framer.push(chunk, { offset: 16, timeUs: 1 })
  expect(first?.bytes).toEqual(countingBytes(0, 8))
})

test("every framing that a configuration can name has its framer", () => {
  const names = framingSchema.options.map(({ shape }) => [...shape.type.values][0])
  expect(all.map(({ type }) => type)).toEqual(names)
})

test("messages do not go on over a mark after which the bytes may be of another device, or later", () => {
  const framesAt = (mark: Mark) => {
    const framer = createFramer(line)
    framer.push(latin("a"), { offset: 0, timeUs: 1 })
    return framer.mark({ mark, timeUs: 2 }).map(({ bytes, isCut }) => text(bytes) + (isCut ? "✂" : ""))
  }
  expect(framesAt({ n: 0, kind: "opened", open: 2 })).toEqual(["a✂"])
  expect(framesAt({ n: 0, kind: "closed", reason: "x" })).toEqual(["a✂"])
  expect(framesAt({ n: 0, kind: "overrun" })).toEqual(["a✂"])
  expect(framesAt({ n: 0, kind: "leased", holder: "x" })).toEqual([])
})

test.each([3_600_000, -3_600_000])(
  "a clock that is set by %i ms divides no idle message, and joins no two",
  (stepMs) => {
    const framer = createFramer(idle)
    const after = (ms: number) => (100_000_000 + ms + stepMs) * 1000
    framer.push(latin("a"), { offset: 0, timeUs: 100_000_000_000 })
    framer.mark({ mark: { n: 0, kind: "clock", stepMs }, timeUs: after(1) })
    const frames = pushAll(
      framer,
      [
        { bytes: latin("b"), timeUs: after(4) },
        { bytes: latin("c"), timeUs: after(9) },
      ],
      1,
    )
    expect(frames).toMatchObject([{ bytes: latin("ab"), isCut: false }])
  },
)
