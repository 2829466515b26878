import fc from "fast-check"
import { expect, test } from "vitest"
import { encodeAnswer, encodeMessage, parseAnswer, parseMessage, type ReplicaMessage } from "./messages.ts"

const said = { by: "one", id: "7" }
const command = { id: "7", at: 1, seed: 2, maxUri: 3 }

test.each<ReplicaMessage>([
  { kind: "hello", ...said },
  { kind: "fetch", ...said, from: "other" },
  { kind: "adopt", ...said, at: 1, maxUri: 2, uri: "/a\nb".replace("\n", " "), text: '{"v":"1"}' },
  { kind: "adopt", ...said, at: 1, maxUri: 2, uri: "/a", text: "" },
  {
    kind: "change",
    ...said,
    command: { ...command, change: { kind: "remove", uri: "/a", recursive: true, ifMatch: ["x"] } },
  },
])("%j is read as it was written", (message) => {
  expect(parseMessage(encodeMessage(message))).toEqual(message)
})

test.each([
  "",
  "null",
  "[]",
  "{}",
  '{"kind":"hello","by":1,"id":"1"}',
  '{"kind":"other","by":"1","id":"1"}',
  '{"kind":"change","by":"1","id":"1"}\n{}',
  '{"kind":"adopt","by":"1","id":"1","at":0,"maxUri":1,"uri":"/a"}\n{"v":1}',
  '{"kind":"adopt","by":"1","id":"1","at":0,"maxUri":1,"uri":"/../a"}\n{"v":"1"}',
  '{"kind":"adopt","by":"1","id":"1","at":-1,"maxUri":1,"uri":"/a"}\n',
])("%j is no message", (text) => {
  expect(() => parseMessage(new TextEncoder().encode(text))).toThrow(
    expect.objectContaining({ code: "bad_json" }),
  )
})

test("no bytes are anything but a message or a refusal", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect(() => parseMessage(bytes)).toThrow(expect.objectContaining({ code: "bad_json" }))
      expect(parseAnswer(bytes)).toBeUndefined()
    }),
  )
})

test("answers are read as they were written; what else comes there is none", () => {
  const part = { kind: "part", id: "7", from: "other", part: 0, parts: 1, rev: 9 } as const
  for (const answer of [
    { kind: "here", id: "7", from: "other", since: 5 } as const,
    { ...part, lines: [] },
    { ...part, lines: ["{}", "{}"] },
  ])
    expect(parseAnswer(encodeAnswer(answer))).toEqual(answer)
  expect(parseAnswer(new TextEncoder().encode('{"id":"1","ok":true}'))).toBeUndefined()
})
