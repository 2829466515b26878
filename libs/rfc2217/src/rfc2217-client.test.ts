import { concatBytes } from "@serialcast/primitives"
import { describe, expect, test } from "vitest"
import { type ClientEvent, Rfc2217Client } from "./rfc2217-client.ts"
import { hex, joinEvents, segmentations } from "./testing/test-segments.ts"

const data = (text: string): ClientEvent => ({ kind: "data", bytes: hex(text) })
const agreed: ClientEvent = { kind: "agreed" }
const off = { cts: false, dsr: false, ri: false, dcd: false }

function opened(): Rfc2217Client {
  const client = new Rfc2217Client({ signature: "us" })
  client.open()
  return client
}

function hear(segments: readonly Uint8Array[]) {
  const client = opened()
  const turns = segments.map((segment) => client.receive(segment))
  return {
    events: joinEvents(turns.flatMap(({ events }) => events)),
    reply: concatBytes(turns.map(({ reply }) => reply)),
  }
}

test("it opens with the offer of COM-PORT, and asks for eight bits both ways", () => {
  const client = new Rfc2217Client({ signature: "us" })
  expect(client.open()).toEqual(hex("fffb2c fffb00 fffd00 fffb03 fffd03"))
  expect(client.isComPort).toBe(false)
})

const traces: Readonly<
  Record<string, { readonly sent: string; readonly events: readonly ClientEvent[]; readonly reply: string }>
> = {
  "ser2net's opening is agreed to, but not its echo": {
    sent: `fffb03 fffd03 fffb01 fffe01 fffd00 fffb00 fffd2c fffa2c6b00fff0 fffd03
      fffa2c64 736572326e6574 fff0 fffa2c650001c200fff0 61ffff000d0062`,
    events: [
      agreed,
      { kind: "modemState", lines: off, changes: off },
      { kind: "answer", answer: { kind: "signature", text: "ser2net" } },
      { kind: "answer", answer: { kind: "baudRate", value: 115_200 } },
      data("61ff000d0062"),
    ],
    reply: "fffe01",
  },
  "sredird's opening and its long answer are understood": {
    sent: `fffb00 fffd00 fffb01 fffb03 fffd03 fffd2c fffa2c6b30fff0
      fffa2c65 0000258000000000 fff0 fffa2c6901fff0`,
    events: [
      agreed,
      { kind: "modemState", lines: { ...off, cts: true, dsr: true }, changes: off },
      { kind: "answer", answer: { kind: "baudRate", value: 9600 } },
      { kind: "answer", answer: { kind: "flowControl", value: "none" } },
    ],
    reply: "fffe01",
  },
  "pySerial's server offers COM-PORT itself": {
    sent: "fffb01 fffb03 fffd00 fffb2c fffd03 fffd2c fffa2c6bbbfff0",
    events: [
      agreed,
      {
        kind: "modemState",
        lines: { ...off, cts: true, dsr: true, dcd: true },
        changes: { ...off, cts: true, dsr: true, dcd: true },
      },
    ],
    reply: "fffe01 fffd2c",
  },
  "a server that refuses is understood, and its words after that are not": {
    sent: "fffe2c 61 fffa2c6901fff0",
    events: [{ kind: "refused" }, data("61"), { kind: "discarded", reason: "not-agreed", bytes: 2 }],
    reply: "",
  },
  "a server that withdraws is understood, and suspends nothing any more": {
    sent: "fffd2c fffa2c6cfff0 fffe2c",
    events: [agreed, { kind: "suspended" }, { kind: "resumed" }, { kind: "refused" }],
    reply: "fffc2c",
  },
  "a service without telnet is data, and neither agrees nor refuses": {
    sent: "5353482d322e300d0a",
    events: [data("5353482d322e300d0a")],
    reply: "",
  },
  "an answer before the agreement is one": {
    sent: "fffa2c6901fff0 fffd2c",
    events: [{ kind: "answer", answer: { kind: "flowControl", value: "none" } }, agreed],
    reply: "",
  },
  "a question is no value": {
    sent: "fffd2c fffa2c690afff0 fffa2c6700fff0 fffa2c6709fff0",
    events: [
      agreed,
      { kind: "answer", answer: { kind: "rts", value: null } },
      { kind: "answer", answer: { kind: "parity", value: null } },
      { kind: "answer", answer: { kind: "parity", value: null, unknownValue: 9 } },
    ],
    reply: "",
  },
  "masks and purges are answered": {
    sent: "fffd2c fffa2c6e1efff0 fffa2c6ffffffff0 fffa2c7001fff0",
    events: [
      agreed,
      { kind: "answer", answer: { kind: "lineStateMask", value: 30 } },
      { kind: "answer", answer: { kind: "modemStateMask", value: 255 } },
      { kind: "answer", answer: { kind: "purge", value: "rx" } },
    ],
    reply: "",
  },
  "the server's question for our name is answered": {
    sent: "fffd2c fffa2c64fff0",
    events: [agreed],
    reply: "fffa2c00 7573 fff0",
  },
  "what a server suspends, it resumes": {
    sent: "fffd2c fffa2c6cfff0 61 fffa2c6dfff0",
    events: [agreed, { kind: "suspended" }, data("61"), { kind: "resumed" }],
    reply: "",
  },
  "words of clients, and options of terminals, mean nothing": {
    sent: "fffd2c fffa2c0501fff0 fffa1801fff0 fffd18 fffd18 fffd06 fff6 fff1 fff3",
    events: [
      agreed,
      { kind: "discarded", reason: "malformed", bytes: 2 },
      { kind: "discarded", reason: "not-agreed", bytes: 1 },
    ],
    reply: "fffc18 fffc06 fff1",
  },
}

describe("wherever the segments are cut", () => {
  test.each(Object.entries(traces))("%s", (_claim, { sent, events, reply }) => {
    const bytes = hex(sent.replaceAll("\n", ""))
    for (const segments of segmentations(bytes)) expect(hear(segments)).toEqual({ events, reply: hex(reply) })
  })
})

test("whether it is agreed and suspended can be asked", () => {
  const client = opened()
  client.receive(hex("fffd2c fffa2c6cfff0"))
  expect([client.isComPort, client.isSuspended]).toEqual([true, true])
  client.receive(hex("fffa2c6dfff0 fffe2c"))
  expect([client.isComPort, client.isSuspended]).toEqual([false, false])
})

test("requests and data go out as RFC 2217 has them", () => {
  const client = opened()
  expect(client.encodeRequest({ kind: "baudRate", value: 115_200 })).toEqual(hex("fffa2c010001c200fff0"))
  expect(client.encodeRequest({ kind: "suspend" })).toEqual(hex("fffa2c08fff0"))
  expect(client.encodeData(hex("61ff0d00"))).toEqual(hex("61ffff0d00"))
})

test("an empty signature is not told, because it would be a question", () => {
  const client = new Rfc2217Client({ signature: "" })
  client.open()
  expect(client.receive(hex("fffd2c fffa2c64fff0")).reply).toEqual(hex(""))
})
