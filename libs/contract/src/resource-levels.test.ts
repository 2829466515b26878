import fc from "fast-check"
import { expect, test } from "vitest"
import { levelsOfUri, uriOfLevels } from "./resource-levels.ts"
import { createTopics } from "./topics.ts"

test("a URI has a topic, which has no wildcard and no control character, and is that of no other URI", () => {
  const segment = fc
    .string({
      unit: fc.constantFrom("a", "é", "+", "#", "%", "2", "F", ".", " ", "$", "\u0007", "\u0085", "💡"),
    })
    .filter((text) => !["", ".", ".."].includes(text))
  fc.assert(
    fc.property(fc.array(segment, { maxLength: 4 }), (segments) => {
      const uri = `/${segments.join("/")}`
      const levels = levelsOfUri(uri)
      expect(levels.join("/")).not.toMatch(/[+#\p{Cc}]/u)
      expect(levels).toHaveLength(segments.length)
      expect(uriOfLevels(levels)).toBe(uri)
    }),
  )
})

test.each(["a//b", "a/../b", "a/./b", "%2E", "a%2Fb", "%", "%zz", "%c3", "%41", "a+b", "#", "%2b", ""])(
  "the levels %j are those of no URI",
  (levels) => expect(uriOfLevels(levels.split("/"))).toBeUndefined(),
)

test("resources and their events have topics of their own, below one level each", () => {
  const topics = createTopics()
  expect(topics.resource("/res/12345").topic).toBe("serialcast/_resources/res/12345")
  expect(topics.resource("/").topic).toBe("serialcast/_resources")
  expect(topics.resourceEvent("/a+b").topic).toBe("serialcast/_resource-events/a%2Bb")
  expect(topics.filter("resource").topic).toBe("serialcast/_resources/#")
  expect(topics.parse("serialcast/_resources/gw/dev/state")).toEqual({
    kind: "resource",
    uri: "/gw/dev/state",
  })
  expect(topics.parse("serialcast/_resources")).toEqual({ kind: "resource", uri: "/" })
  expect(topics.parse("serialcast/_resource-events/a%2Bb")).toEqual({ kind: "resourceEvent", uri: "/a+b" })
  expect(topics.parse("serialcast/_resource-index/0a")).toEqual({ kind: "resourceIndex", shard: "0a" })
  expect(topics.parse("serialcast/_resource-commands")).toEqual({ kind: "resourceCommand" })
})
