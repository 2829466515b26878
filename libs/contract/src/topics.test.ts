import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { isName, parseAddress } from "./names.ts"
import { callVerbs, createTopics, type ParsedTopic, topicTable } from "./topics.ts"

const badNames = ["", "A", "Uno", "+", "#", "a/b", "/", "a b", "ü", "-a", "_a", "a\n", "a\0", "x".repeat(65)]
const name = fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,63}$/)
const device = fc.record({ gateway: name, device: name })
const parsed: fc.Arbitrary<ParsedTopic> = fc.oneof(
  fc.record({ kind: fc.constant("status" as const), gateway: name }),
  fc
    .tuple(fc.constantFrom("state", "rx", "line", "cut", "tx", "stream" as const), device)
    .map(([kind, address]) => ({ kind, ...address })),
  fc
    .tuple(device, fc.constantFrom(...callVerbs), name)
    .map(([address, verb, client]) => ({ kind: "call" as const, ...address, verb, client })),
  fc.record({ kind: fc.constantFrom("reply", "tunnels" as const), client: name }),
  fc.constant({ kind: "discover" as const }),
)

test("parsing undoes building, under every root", () => {
  fc.assert(
    fc.property(name, parsed, (root, wanted) => {
      const topics = createTopics(root)
      const { kind, ...levels } = wanted
      const { topic, qos, retain } = topics.filter(kind, levels as object as Record<string, string>)
      expect(topics.parse(topic)).toEqual(wanted)
      expect({ qos, retain }).toEqual({ qos: topicTable[kind].qos, retain: topicTable[kind].retain })
    }),
  )
})

test("what parses is built again as the same topic", () => {
  const topics = createTopics()
  const level = fc.constantFrom(
    "serialcast",
    "local",
    "uno",
    "rx",
    "call",
    "write",
    "_clients",
    "_tunnels",
    "_discover",
    "reply",
    "status",
    "",
    "+",
  )
  fc.assert(
    fc.property(fc.array(level, { maxLength: 7 }), (levels) => {
      const topic = levels.join("/")
      const found = topics.parse(topic)
      if (found !== undefined)
        expect(topics.filter(found.kind, found as object as Record<string, string>).topic).toBe(topic)
    }),
    { numRuns: 1_000 },
  )
})

test("a filter has a single-level wildcard for every level that is not given", () => {
  const topics = createTopics()
  expect(topics.filter("state").topic).toBe("serialcast/+/+/state")
  expect(topics.filter("call", { gateway: "local" }).topic).toBe("serialcast/local/+/call/+/+")
  expect(topics.filter("status").topic).toBe("serialcast/+/status")
})

describe.each(badNames)("the name %j", (bad) => {
  const topics = createTopics()
  test("is none", () => expect(isName(bad)).toBe(false))
  test("is refused in every topic", () => {
    const address = { gateway: "local", device: "uno" }
    expect(() => topics.status(bad)).toThrow(RangeError)
    expect(() => topics.device("rx", { ...address, gateway: bad })).toThrow(RangeError)
    expect(() => topics.device("rx", { ...address, device: bad })).toThrow(RangeError)
    expect(() => topics.call("write", address, bad)).toThrow(RangeError)
    expect(() => topics.reply(bad)).toThrow(RangeError)
    expect(() => createTopics(bad)).toThrow(RangeError)
    if (bad !== "+") expect(() => topics.filter("state", { gateway: bad })).toThrow(RangeError)
  })
  test("is refused in an address", () => {
    for (const address of [`${bad}/uno`, `local/${bad}`, `local/uno/${bad}`]) {
      expect(() => parseAddress(address)).toThrow(expect.objectContaining({ code: "bad_request" }))
    }
  })
})
