import {
  type Cursor,
  type DeviceState,
  type Framing,
  formatCursor,
  type StartPoint,
} from "@serialcast/contract"
import { FakeClock } from "@serialcast/testkit"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import {
  type Recorded,
  type RecordedDevice,
  recordDevice,
  recordedEpoch,
} from "../testing/recorded-device.ts"
import type { MessageEvent } from "./message-cutter.ts"
import { readMessages } from "./read-messages.ts"
import type { StreamEvent } from "./stream-event.ts"

const framings: readonly Framing[] = [
  { type: "line", maxBytes: 8 },
  { type: "delimiter", delimiter: "0A0B", maxBytes: 8 },
  { type: "fixed", length: 3 },
  { type: "idle", idleMs: 5, maxBytes: 8 },
  { type: "slip", maxBytes: 8 },
]
const line: Framing = { type: "line", maxBytes: 16 }

const cursorAt = (offset: number, mark = 0): Cursor => ({ epoch: recordedEpoch, offset, mark })
const at = (offset: number, mark = 0): StartPoint => ({ kind: "cursor", cursor: cursorAt(offset, mark) })

async function readAll(
  device: RecordedDevice,
  from: StartPoint,
  state: () => DeviceState | undefined = () => device.state,
): Promise<MessageEvent[]> {
  const { signal } = new AbortController()
  const clock = new FakeClock()
  const events: MessageEvent[] = []
  for await (const event of readMessages(device, { from, stream: "rx", state, signal, clock }))
    events.push(event)
  return events
}

/** Texts of messages, cut ones with `✂` behind, and names of what comes between. */
function summary(events: readonly MessageEvent[]): string[] {
  return events.flatMap((event) => {
    switch (event.kind) {
      case "message":
        return [String.fromCharCode(...event.bytes) + (event.isCut ? "✂" : "")]
      case "mark":
        return [`(${event.mark.kind})`]
      case "gap":
        return [`(${event.gap.reason} ${event.gap.bytes})`]
      case "positioned":
        return []
    }
  })
}

const messagesOf = (events: readonly MessageEvent[]) =>
  events.flatMap((event) => (event.kind === "message" ? [event] : []))

const recorded: fc.Arbitrary<Recorded[]> = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        text: fc.constantFrom("a", "bc", "\n", "\r\n", "\n\v", "\xc0", "\xdb", "\xdc", "defghi"),
        afterMs: fc.constantFrom(0, 1, 4, 5, 60),
      }),
    },
    { weight: 1, arbitrary: fc.record({ mark: fc.constantFrom("opened", "closed", "overrun", "leased") }) },
  ),
  { maxLength: 40 },
)

describe.each(framings.map((framing) => [framing.type, framing] as const))("%s framing", (_type, framing) => {
  test("whoever comes, whenever, gets the messages that all others get, and others marked as cut", async () => {
    await fc.assert(
      fc.asyncProperty(recorded, fc.nat(120), async (parts, place) => {
        const device = recordDevice(parts, { framing })
        const all = messagesOf(await readAll(device, { kind: "start" }))
        const end = all.at(-1)?.cursor.offset ?? 0
        const start = Math.min(place, end)
        const whole = (messages: typeof all) =>
          messages.filter(({ isCut, cursor }) => !isCut && cursor.offset > start)
        const own = messagesOf(await readAll(device, at(start)))
        expect(whole(own)).toEqual(whole(all))
        for (const { cursor } of own) expect(cursor.offset).toBeGreaterThan(start)
      }),
    )
  })

  test("wherever a client loses its connection, it has each message once and whole after it resumed by its last id", async () => {
    await fc.assert(
      fc.asyncProperty(recorded, fc.nat(), async (parts, cut) => {
        const device = recordDevice(parts, { framing })
        const all = await readAll(device, at(0))
        const had = all.slice(0, cut % (all.length + 1))
        const last = had.findLast((event) => event.kind !== "mark" || !event.isInside)?.cursor ?? cursorAt(0)
        const rest = await readAll(device, { kind: "cursor", cursor: last })
        expect([...messagesOf(had), ...messagesOf(rest)]).toEqual(messagesOf(all))
      }),
    )
  })
})

test("a message that has begun before a reader came is whole, from now, from a cursor and from the last bytes on", async () => {
  const device = recordDevice([{ text: "20.25\n-12" }, { text: "1.50\n" }], { framing: line })
  for (const from of [at(9), at(10), { kind: "last", bytes: 4 } as const])
    expect(summary(await readAll(device, from))).toEqual(["-121.50"])
  expect(summary(await readAll(device, { kind: "now" }))).toEqual([])
})

test("of a message whose begin is not kept any more the rest is cut; the gap is that of the reader's own place", async () => {
  const parts = Array.from({ length: 40 }, (_, n) => ({ text: `line ${n}\n` }))
  const device = recordDevice(parts, { framing: line }, { capacityBytes: 100 })
  const [gap, first] = summary(await readAll(device, at(5)))
  expect(gap).toMatch(/^\(evicted 2\d\d\)$/)
  expect(first).toBe("line 37✂")
  expect(summary(await readAll(device, { kind: "start" }))[0]).toBe("line 37✂")
})

test("a reader of a journal that was replaced gets the gap from its own place, and the new one's messages whole", async () => {
  const device = recordDevice([{ mark: "opened" }, { text: "a\nb\n" }], { framing: line })
  const gone = { epoch: "00000000000000bb", offset: 500, mark: 0 }
  const events = await readAll(device, { kind: "cursor", cursor: gone })
  expect(summary(events)).toEqual(["(evicted null)", "(opened)", "a", "b"])
  expect(events).toContainEqual(
    expect.objectContaining({ gap: expect.objectContaining({ from: formatCursor(gone) }) }),
  )
})

test("gaps and marks at a reader's place are told once, to who resumes before them", async () => {
  const parts: Recorded[] = [
    { mark: "opened" },
    { text: "ab" },
    { mark: "closed" },
    { mark: "opened" },
    { text: "c\n" },
  ]
  const device = recordDevice(parts, { framing: line })
  // What was cut may go on.
  const rest = ["(unread null)", "(opened)", "c✂"]
  expect(summary(await readAll(device, at(2)))).toEqual(["(closed)", ...rest])
  expect(summary(await readAll(device, at(2, 1)))).toEqual(rest)
  expect(summary(await readAll(device, at(2, 2)))).toEqual(["c✂"])
})

test.each<[string, Recorded[], string[]]>([
  [
    "whole, begins one",
    [{ text: "a\n" }, { mark: "closed" }, { mark: "opened" }],
    ["a", "(closed)", "(unread null)", "(opened)", "b"],
  ],
  [
    "whole, begins one, though the agent was killed",
    [{ text: "a\n" }, { mark: "opened" }],
    ["a", "(unread null)", "(opened)", "b"],
  ],
  [
    "cut, may be its rest",
    [{ text: "a" }, { mark: "closed" }, { mark: "opened" }],
    ["a✂", "(closed)", "(unread null)", "(opened)", "b✂"],
  ],
  [
    "cut by a kill, may be its rest",
    [{ text: "a" }, { mark: "opened" }],
    ["a✂", "(unread null)", "(opened)", "b✂"],
  ],
  [
    "whole, before an overrun, may be a rest",
    [{ text: "a\n" }, { mark: "overrun" }],
    ["a", "(unread null)", "(overrun)", "b✂"],
  ],
])("what follows on a message that was %s", async (_title, between, expected) => {
  const device = recordDevice([{ mark: "opened" }, ...between, { text: "b\nc\n" }], { framing: line })
  expect(summary(await readAll(device, at(0)))).toEqual(["(opened)", ...expected, "c"])
})

test("a mark inside a message says so, and so does one inside a message that began before the reader came", async () => {
  const device = recordDevice([{ text: "ab" }, { mark: "leased" }, { text: "c\n" }, { mark: "leased" }], {
    framing: line,
  })
  const insides = (events: readonly MessageEvent[]) =>
    events.flatMap((event) => (event.kind === "mark" ? [event.isInside] : []))
  for (const offset of [0, 1, 2]) expect(insides(await readAll(device, at(offset)))).toEqual([true, false])
})

describe("messages of a fixed length", () => {
  const framing: Framing = { type: "fixed", length: 4 }
  const parts: Recorded[] = [
    { mark: "opened" },
    { text: "aaaabbbbcc" },
    { mark: "closed" },
    { mark: "opened" },
    { text: "ddddeeeeff" },
  ]

  test("are counted from the opening before them, wherever a reader comes", async () => {
    const device = recordDevice(parts, { framing })
    expect(summary(await readAll(device, at(12)))).toEqual(["dddd", "eeee"])
    expect(summary(await readAll(device, at(15)))).toEqual(["eeee"])
    const marks = ["cc✂", "(closed)", "(unread null)", "(opened)"]
    expect(summary(await readAll(device, at(6)))).toEqual(["bbbb", ...marks, "dddd", "eeee"])
  })

  test("are so where the opening is not kept any more, and where the state is behind the stream", async () => {
    const long = [
      { mark: "opened" } as const,
      { text: "x" },
      ...Array.from({ length: 99 }, () => ({ text: "abcd" })),
    ]
    const evicted = recordDevice(long, { framing }, { capacityBytes: 200 })
    const [first, second] = summary(await readAll(evicted, { kind: "start" }))
    expect([first, second]).toEqual(["abc✂", "dabc"])
    const stale = recordDevice(parts, { framing, openedAt: 0 })
    expect(summary(await readAll(stale, at(12)))).toEqual(["dddd", "eeee"])
  })

  test("are all cut where nobody knows the opening", async () => {
    const long = Array.from({ length: 99 }, () => ({ text: "abcd" }))
    const device = recordDevice(long, { framing, openedAt: undefined }, { capacityBytes: 200 })
    const found = messagesOf(await readAll(device, { kind: "start" }))
    expect(found.length).toBeGreaterThan(0)
    for (const { isCut } of found) expect(isCut).toBe(true)
  })
})

test("a new framing holds from where it is known on, and cuts what the former one had begun", async () => {
  const device = recordDevice([{ text: "a\nb" }, { mark: "opened" }, { text: "c;d;" }])
  let asked = 0
  const now = { type: "delimiter", delimiter: "3B", maxBytes: 16 } as const
  const state = () => ({ ...device.state, framing: asked++ < 5 ? line : now })
  expect(summary(await readAll(device, at(0), state))).toEqual(["a", "b✂", "(opened)", "c✂", "d"])
})

test("the framing stays while nobody knows the device", async () => {
  const framing = { type: "delimiter", delimiter: "3B", maxBytes: 16 } as const
  const device = recordDevice([{ text: "a;b" }, { text: "c;d;" }], { framing })
  let asked = 0
  const state = () => (asked++ < 4 ? device.state : undefined)
  expect(summary(await readAll(device, at(0), state))).toEqual(["a", "bc", "d"])
})

test("while nobody knows the place, that is told, and then the place", async () => {
  const device = recordDevice([{ text: "a\nb\n" }], { framing: line })
  const read = async function* (options: {
    readonly from?: StartPoint | undefined
    readonly signal: AbortSignal
  }): AsyncGenerator<StreamEvent> {
    if (options.from?.kind === "now") yield { kind: "positioned", cursor: null }
    yield* device.read(options.from?.kind === "now" ? { ...options, from: at(2) } : options)
  }
  const events = await readAll({ state: device.state, read }, { kind: "now" })
  const places = events.flatMap((event) => (event.kind === "positioned" ? [event.cursor] : []))
  expect(places.map((cursor) => cursor && formatCursor(cursor))).toEqual([null, `${recordedEpoch}-2`])
  expect(summary(events)).toEqual(["b"])
})

test("what readings share of a device stays while a reader comes, and nothing stays when it leaves", async () => {
  const log: string[] = []
  let readings = 0
  const read = async function* ({ signal }: { readonly signal: AbortSignal }): AsyncGenerator<StreamEvent> {
    const name = ["place", "messages"][readings++] ?? ""
    log.push(`${name} begins`)
    try {
      yield { kind: "positioned", cursor: cursorAt(0) }
      const bytes = Uint8Array.of(0x61, 0x0a)
      yield { kind: "bytes", cursor: cursorAt(2), offset: 0, timeUs: 1, bytes }
      await new Promise((resolve) => signal.addEventListener("abort", resolve))
    } finally {
      log.push(`${name} ends`)
    }
  }
  const { signal } = new AbortController()
  const options = { from: { kind: "now" }, stream: "rx", state: () => undefined, signal } as const
  const messages = readMessages({ read }, { ...options, clock: new FakeClock() })
  for await (const event of messages) if (event.kind === "message") break
  expect(log).toEqual(["place begins", "messages begins", "place ends", "messages ends"])
})
