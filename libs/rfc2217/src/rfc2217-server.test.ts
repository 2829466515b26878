import { concatBytes } from "@serialcast/primitives"
import { describe, expect, test } from "vitest"
import type { PortAnswer } from "./com-port/com-port-message.ts"
import { Rfc2217Server, type ServerEvent } from "./rfc2217-server.ts"
import { hex, joinEvents, latin, segmentations } from "./testing/test-segments.ts"

const data = (text: string): ServerEvent => ({ kind: "data", bytes: hex(text) })
const agreed: ServerEvent = { kind: "agreed" }
const burst = hex("fffb03 fffd03 fffb01 fffd00 fffb00 fffd2c")

function opened(): Rfc2217Server {
  const server = new Rfc2217Server({ signature: "serialcast" })
  server.open()
  return server
}

/** A server to which a client has said WILL COM-PORT, and that has told its modem state. */
function agreedServer(): Rfc2217Server {
  const server = opened()
  server.receive(hex("fffb2c"))
  server.notifyModemState({ cts: true })
  return server
}

interface Heard {
  readonly events: readonly ServerEvent[]
  readonly reply: Uint8Array
}

function hear(segments: readonly Uint8Array[]): Heard {
  const server = opened()
  const turns = segments.map((segment) => server.receive(segment))
  return {
    events: joinEvents(turns.flatMap(({ events }) => events)),
    reply: concatBytes(turns.map(({ reply }) => reply)),
  }
}

test("it opens with what brings a terminal into character mode and offers COM-PORT", () => {
  expect(new Rfc2217Server({ signature: "x" }).open()).toEqual(burst)
})

interface Trace {
  readonly sent: string
  readonly events: readonly ServerEvent[]
  readonly reply: string
}

const traces: Readonly<Record<string, Trace>> = {
  "pySerial's opening is agreed to, and each of its requests asked": {
    sent: `fffd01 fffb03 fffd03 fffd2c fffb2c fffd00 fffb00
      fffa2c010001c200fff0 fffa2c0208fff0 fffa2c0301fff0 fffa2c0401fff0
      fffa2c0501fff0 fffa2c0508fff0 fffa2c050bfff0 fffa2c0c01fff0 fffa2c0c02fff0 61ffff62`,
    events: [
      agreed,
      { kind: "request", request: { kind: "baudRate", value: 115_200 } },
      { kind: "request", request: { kind: "dataBits", value: 8 } },
      { kind: "request", request: { kind: "parity", value: "none" } },
      { kind: "request", request: { kind: "stopBits", value: 1 } },
      { kind: "request", request: { kind: "flowControl", value: "none" } },
      { kind: "request", request: { kind: "dtr", value: true } },
      { kind: "request", request: { kind: "rts", value: true } },
      { kind: "request", request: { kind: "purge", value: "rx" } },
      { kind: "request", request: { kind: "purge", value: "tx" } },
      data("61ff62"),
    ],
    reply: "fffb2c",
  },
  "microcom may send requests before it has seen the opening, and ff that is not doubled": {
    sent: `fffb2c fffd2c fffa2c0100002580fff0 fffa2c0501fff0
      fffe03 fffc03 fffe01 fffc00 fffe00 61ff62 0d00`,
    events: [
      agreed,
      { kind: "request", request: { kind: "baudRate", value: 9600 } },
      { kind: "request", request: { kind: "flowControl", value: "none" } },
      data("61ff62 0d00"),
    ],
    reply: "fffb2c",
  },
  "gensiot refuses to have its input echoed, asks for the settings, and breaks by command": {
    sent: `fffb2c fffe03 fffb03 fffe01 fffb00 fffd00
      fffa2c00fff0 fffa2c0100000000fff0 fffa2c0300fff0 fffa2c0200fff0 fffa2c0400fff0 fff3`,
    events: [
      agreed,
      { kind: "request", request: { kind: "baudRate", value: null } },
      { kind: "request", request: { kind: "parity", value: null } },
      { kind: "request", request: { kind: "dataBits", value: null } },
      { kind: "request", request: { kind: "stopBits", value: null } },
      { kind: "break" },
    ],
    reply: "fffa2c64 73657269616c63617374 fff0",
  },
  "telnet agrees to all but COM-PORT, and its Enter is one byte": {
    sent: "fffd03 fffb03 fffd01 fffb00 fffd00 fffc2c 68690d ff0d 0d00 03 fff3 fff6 ffff",
    events: [data("68690d ff0d 0d00 03"), { kind: "break" }, data("ff")],
    reply: "0d0a 5b7965735d 0d0a",
  },
  "telnet without BINARY sends CR NUL, which is CR": {
    sent: "fffd03 fffd01 fffe00 fffc00 fffc2c 68690d00 0d00 00 0d0a",
    events: [data("68690d 0d 00 0d0a")],
    reply: "",
  },
  "telnet in line mode sends Ctrl-C as IP, and waits for the answer to its timing mark each time": {
    sent: "61 fff4 fffd06 62 fff4 fffd06",
    events: [data("61 03 62 03")],
    reply: "fffc06 fffc06",
  },
  "C-Kermit has each unknown option refused once, though it repeats them": {
    sent: `fffb25 fffb18 fffb27 fffb26 fffb2f fffd25 fffb03 fffb2c
      fffb25 fffb18 fffb27 fffb26 fffb2f fffd25`,
    events: [agreed],
    reply: "fffe25 fffe18 fffe27 fffe26 fffe2f fffc25",
  },
  "COM-PORT is agreed by either side's offer, once": {
    sent: "fffd2c fffb2c fffd2c fffb2c fffa2c07fff0 fffa2c06fff0",
    events: [
      agreed,
      { kind: "request", request: { kind: "modemState" } },
      { kind: "request", request: { kind: "lineState" } },
    ],
    reply: "fffb2c",
  },
  "sub-negotiation of what was not agreed is discarded, and told": {
    sent: "fffa2c0501fff0 fffa18 00 7674fff0 fffb2c fffc2c fffa2c0501fff0",
    events: [
      { kind: "discarded", reason: "not-agreed", bytes: 5 },
      agreed,
      { kind: "discarded", reason: "not-agreed", bytes: 2 },
    ],
    reply: "fffe2c",
  },
  "malformed requests are discarded, and told": {
    sent: "fffb2c fffa2c0514fff0 fffa2c6501fff0 fffa2cfff0 fffafff0 fffa2c0208fff0",
    events: [
      agreed,
      { kind: "discarded", reason: "malformed", bytes: 4 },
      { kind: "discarded", reason: "empty", bytes: 0 },
      { kind: "request", request: { kind: "dataBits", value: 8 } },
    ],
    reply: "",
  },
  "a client says its name, and is told ours": {
    sent: "fffb2c fffa2c00 6162 fff0 fffa2c00fff0",
    events: [agreed, { kind: "signature", text: "ab" }],
    reply: "fffa2c64 73657269616c63617374 fff0",
  },
  "masks are acknowledged": {
    sent: "fffb2c fffa2c0a1efff0 fffa2c0bfffffff0",
    events: [agreed],
    reply: "fffa2c6e1efff0 fffa2c6ffffffff0",
  },
  "a client that suspends and resumes is heard": {
    sent: "fffb2c fffa2c08fff0 61 fffa2c09fff0",
    events: [agreed, { kind: "suspended" }, data("61"), { kind: "resumed" }],
    reply: "",
  },
  "leaving COM-PORT ends the suspension": {
    sent: "fffb2c fffa2c08fff0 fffc2c",
    events: [agreed, { kind: "suspended" }, { kind: "resumed" }],
    reply: "fffe2c",
  },
  "commands without a meaning here are passed over": {
    sent: "61 fff1 fff2 fff5 fff7 fff8 fff9 fff0 ffec ffed ffee ffef 62",
    events: [data("6162")],
    reply: "",
  },
  "a client of COM-PORT gets no text for AYT, and sends 03 itself": {
    sent: "fffb2c fff6 fff4",
    events: [agreed],
    reply: "fff1",
  },
}

describe("wherever the segments are cut", () => {
  test.each(Object.entries(traces))("%s", (_claim, { sent, events, reply }) => {
    const bytes = hex(sent.replaceAll("\n", ""))
    for (const segments of segmentations(bytes)) expect(hear(segments)).toEqual({ events, reply: hex(reply) })
  })
})

test("NUL after CR is data as soon as BINARY is on or COM-PORT was offered, and for good", () => {
  const texts = ["fffb00 0d00", "fffb2c 0d00", "fffb2c fffc2c 0d00", "fffd2c 0d00", "0d fffb00 00"]
  for (const text of texts) {
    const heard = hear([hex(text)]).events.filter(({ kind }) => kind === "data")
    expect(joinEvents(heard), text).toEqual([data("0d00")])
  }
  expect(joinEvents(hear([hex("fffb00 fffc00 0d00")]).events)).toEqual([data("0d")])
})

test("a lone CR reaches the device at once", () => {
  const server = opened()
  expect(server.receive(hex("0d")).events).toEqual([data("0d")])
  expect(server.receive(hex("00 61")).events).toEqual([data("61")])
})

test.each<[PortAnswer, string]>([
  [{ kind: "baudRate", value: 65_280 }, "fffa2c65 0000ffff00 fff0"],
  [{ kind: "dataBits", value: 7 }, "fffa2c66 07 fff0"],
  [{ kind: "parity", value: "even" }, "fffa2c67 03 fff0"],
  [{ kind: "stopBits", value: 1.5 }, "fffa2c68 03 fff0"],
  [{ kind: "flowControl", value: "hardware" }, "fffa2c69 03 fff0"],
  [{ kind: "break", value: false }, "fffa2c69 06 fff0"],
  [{ kind: "dtr", value: true }, "fffa2c69 08 fff0"],
  [{ kind: "rts", value: false }, "fffa2c69 0c fff0"],
  [{ kind: "inboundFlowControl", value: "none" }, "fffa2c69 0e fff0"],
  [{ kind: "purge", value: "both" }, "fffa2c70 03 fff0"],
  [{ kind: "lineState", state: { shiftEmpty: true, holdingEmpty: true } }, "fffa2c6a 60 fff0"],
  [{ kind: "modemState", lines: { dsr: true, dcd: true } }, "fffa2c6b ab fff0"],
])("the answer %j is %j", (answer, bytes) => expect(agreedServer().answer(answer)).toEqual(hex(bytes)))

test("who sets the baud rate in Cisco's way is answered so from then on", () => {
  const server = agreedServer()
  expect(server.answer({ kind: "baudRate", value: 9600 })).toEqual(hex("fffa2c6500002580fff0"))
  const { events } = server.receive(hex("fffa2c010efff0"))
  expect(events).toEqual([{ kind: "request", request: { kind: "baudRate", value: 115_200 } }])
  expect(server.answer({ kind: "baudRate", value: 115_200 })).toEqual(hex("fffa2c650efff0"))
  server.receive(hex("fffa2c0100000000fff0"))
  expect(server.answer({ kind: "baudRate", value: 9600 })).toEqual(hex("fffa2c6508fff0"))
})

describe("the modem state", () => {
  test("is told once COM-PORT is agreed, and then when it changes", () => {
    const server = opened()
    expect([server.isComPort, server.notifyModemState({ cts: true })]).toEqual([false, hex("")])
    server.receive(hex("fffb2c"))
    expect([server.isComPort, server.notifyModemState({ cts: true })]).toEqual([true, hex("fffa2c6b10fff0")])
    expect(server.notifyModemState({ cts: true })).toEqual(hex(""))
    expect(server.notifyModemState({})).toEqual(hex("fffa2c6b01fff0"))
  })

  test("is told to a device without lines as all off", () => {
    const lines: Readonly<Record<string, boolean>> = {}
    const server = opened()
    server.receive(hex("fffd2c"))
    expect(server.notifyModemState(lines)).toEqual(hex("fffa2c6b00fff0"))
  })

  test("comes with the mask that lets it through", () => {
    const server = agreedServer()
    server.receive(hex("fffa2c0b80fff0"))
    expect(server.notifyModemState({ cts: true, dsr: true })).toEqual(hex(""))
    expect(server.receive(hex("fffa2c0b22fff0")).reply).toEqual(hex("fffa2c6f22fff0 fffa2c6b22fff0"))
  })

  test("and the line state wait for the end of a suspension", () => {
    const server = agreedServer()
    server.receive(hex("fffa2c0a18fff0 fffa2c08fff0"))
    expect(server.isSuspended).toBe(true)
    expect(server.notifyModemState({})).toEqual(hex(""))
    expect(server.notifyLineState({ framing: true })).toEqual(hex(""))
    expect(server.receive(hex("fffa2c09fff0")).reply).toEqual(hex("fffa2c6b01fff0 fffa2c6a08fff0"))
    expect(server.isSuspended).toBe(false)
  })

  test("may be told at the end of patience with a suspension", () => {
    const server = agreedServer()
    server.receive(hex("fffa2c08fff0"))
    server.notifyModemState({})
    expect(server.endSuspension()).toEqual(hex("fffa2c6b01fff0"))
    expect(server.isSuspended).toBe(false)
  })
})

describe("a client that suspends", () => {
  test("gets no command of COM-PORT until it resumes, then the last answer of each kind", () => {
    const server = agreedServer()
    const silent = "fffa2c08fff0 fffa2c0a18fff0 fffa2c0bfffffff0 fffa2c00fff0"
    expect(server.receive(hex(silent)).reply).toEqual(hex(""))
    for (const value of [9_600, 19_200]) {
      expect(server.answer({ kind: "baudRate", value })).toEqual(hex(""))
      expect(server.answer({ kind: "dtr", value: true })).toEqual(hex(""))
    }
    expect(server.receive(hex("fffa2c09fff0")).reply).toEqual(
      hex(
        "fffa2c6e18fff0 fffa2c6ffffffff0 fffa2c64 73657269616c63617374 fff0 fffa2c65 00004b00 fff0 fffa2c6908fff0",
      ),
    )
    expect(server.answer({ kind: "dtr", value: true })).toEqual(hex("fffa2c6908fff0"))
  })

  test("is answered what belongs to telnet itself: options, timing marks, AYT", () => {
    const server = agreedServer()
    server.receive(hex("fffa2c08fff0"))
    expect(server.receive(hex("fffd06 fff6 fffb18")).reply).toEqual(hex("fffc06 fff1 fffe18"))
  })

  test("and leaves COM-PORT gets nothing that was held when it comes back", () => {
    const server = agreedServer()
    server.receive(hex("fffa2c08fff0"))
    server.answer({ kind: "dtr", value: true })
    server.receive(hex("fffc2c fffb2c fffa2c08fff0"))
    expect(server.receive(hex("fffa2c09fff0")).reply).toEqual(hex("fffa2c6b10fff0"))
  })
})

test("data with commands between its bytes is one event of a segment, whatever stands around it", () => {
  const text = "61 fff1 62 fff9 63 fffd06 64 fff3 65 fff1 66"
  expect(opened().receive(hex(text)).events).toEqual([data("61626364"), { kind: "break" }, data("6566")])
})

test("the line state is told when the client has asked for it", () => {
  const server = agreedServer()
  expect(server.notifyLineState({ break: true })).toEqual(hex(""))
  server.receive(hex("fffa2c0a10fff0"))
  for (const _ of [1, 2])
    expect(server.notifyLineState({ break: true, dataReady: true })).toEqual(hex("fffa2c6a10fff0"))
})

test("bytes of the device go out with ff doubled, and are not touched otherwise", () => {
  expect(opened().encodeData(hex("61 ff 0d 00 0a"))).toEqual(hex("61 ffff 0d 00 0a"))
  const plain = latin("plain")
  expect(opened().encodeData(plain)).toBe(plain)
})

test("an empty signature is not told, because it would be a question", () => {
  const server = new Rfc2217Server({ signature: "" })
  server.open()
  expect(server.receive(hex("fffb2c fffa2c00fff0")).reply).toEqual(hex(""))
})
