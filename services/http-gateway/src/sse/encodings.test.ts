import { expect, test } from "vitest"
import { createEncodings, parseEncoding } from "./encodings.ts"

const epoch = "00000000000000aa"

const gap = {
  kind: "gap",
  cursor: { epoch, offset: 9, mark: 0 },
  gap: { from: `${epoch}-1`, to: `${epoch}-9`, bytes: 8, reason: "evicted" },
} as const

/** One event after another, as a reader gives them. */
function encodeAll(name: "hex" | "base64" | "text", chunks: readonly (readonly number[])[]) {
  const encoding = createEncodings().create(name)
  let offset = 0
  const events = chunks.map((values) => {
    const bytes = Uint8Array.from(values)
    const event = {
      kind: "bytes",
      offset,
      timeUs: 0,
      bytes,
      cursor: { epoch, offset: offset + bytes.length, mark: 0 },
    } as const
    offset += bytes.length
    return encoding.encode(event)
  })
  return { events, flush: encoding.flush(gap) }
}

test("hex is upper case and its id stands after the bytes", () => {
  const { events } = encodeAll("hex", [[0x00, 0xff, 0x0a]])
  expect(events).toEqual([[{ event: "bytes", data: "00FF0A", id: `${epoch}-3` }]])
})

test("an event that several clients get is encoded once", () => {
  const encodings = createEncodings()
  const cursor = { epoch, offset: 1, mark: 0 }
  const event = { kind: "bytes", offset: 0, timeUs: 0, bytes: Uint8Array.of(1), cursor } as const
  const [one, other] = [encodings.create("hex"), encodings.create("hex")]
  expect(one.encode(event)).toBe(other.encode(event))
  expect(one.encode({ ...event })).not.toBe(one.encode(event))
})

test("base64 is padded", () => {
  expect(encodeAll("base64", [[0xfb, 0xff]]).events[0]?.[0]?.data).toBe("+/8=")
})

test("text joins a character that is split between chunks, and its id never splits one", () => {
  const { events, flush } = encodeAll("text", [[0x41, 0xe2], [0x82], [0xac, 0x42]])
  expect(events).toEqual([
    [{ event: "bytes", data: '"A"', id: `${epoch}-1` }],
    [],
    [{ event: "bytes", data: '"€B"', id: `${epoch}-5` }],
  ])
  expect(flush).toEqual([])
})

test("text that stays incomplete is given as U+FFFD before anything else is said", () => {
  const { events, flush } = encodeAll("text", [[0xe2, 0x82]])
  expect(events).toEqual([[]])
  expect(flush).toEqual([{ event: "bytes", data: '"\uFFFD"', id: `${epoch}-2` }])
})

test("line ends and quotes stay inside one data line", () => {
  expect(encodeAll("text", [[0x22, 0x0d, 0x0a, 0x00]]).events[0]?.[0]?.data).toBe('"\\"\\r\\n\\u0000"')
})

test("an unknown encoding is refused by name", () => {
  expect(() => parseEncoding("utf16")).toThrow(expect.objectContaining({ code: "bad_request" }))
})
