import { systemClock } from "@serialcast/primitives"
import { eventually, FakeClock } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { defaultSettings } from "../default-settings.ts"
import { errorOf } from "../testing/error-of.ts"
import { openTestPort, passTime } from "./testing/open-test-port.ts"
import { asSubnegotiation, type TestDeviceServer } from "./testing/test-device-server.ts"

const noAnswer = {
  code: "device_offline",
  message: "The device server did not answer within 3 s.",
}

test("opening makes all settings, and leaves DTR and RTS as they are", async () => {
  const settings = {
    baudRate: 9_600,
    dataBits: 7,
    parity: "mark",
    stopBits: 2,
    flowControl: "hardware",
  } as const
  const { server, opening, notes } = await openTestPort({}, systemClock, settings)
  await opening
  expect(server.requests).toEqual([
    "0100002580",
    "0100000000",
    "0207",
    "0304",
    "0402",
    "0503",
    "0507",
    "050a",
    "0a02",
    "0100000000",
  ])
  expect(notes).toEqual([])
})

test("what comes while it opens is heard afterwards, and in order", async () => {
  const opening = `4142fffd2c43${asSubnegotiation("6b10")}44`
  const rig = await openTestPort({ opening, isByteByByte: true })
  const port = await rig.opening
  expect(await port.readLines()).toMatchObject({ cts: true })
  await eventually(() => expect(rig.heard.bytes).toEqual(Uint8Array.of(0x41, 0x42, 0x43, 0x44)))
})

test("half a sub-negotiation before the end is nothing that the device sent", async () => {
  const { server, opening, heard } = await openTestPort()
  await opening
  await server.send("41fffa2c6b42")
  server.hangUp()
  await heard.closed
  expect(heard.bytes).toEqual(Uint8Array.of(0x41))
})

test("a server that writes byte by byte, and answers each control with 1, opens and sets lines", async () => {
  // The ways of sredird.
  const answer = (body: string, { rate }: TestDeviceServer) => {
    if (body.startsWith("05")) return "6901"
    if (!body.startsWith("01")) return undefined
    return `65${body.slice(2) === "00000000" ? rate.toString(16).padStart(8, "0") : body.slice(2)}00000000`
  }
  const opening = `fffb00fffd00fffb01fffb03fffd03fffd2c${asSubnegotiation("6bb0").repeat(3)}`
  const rig = await openTestPort({ opening, answer, isByteByByte: true }, systemClock, {
    ...defaultSettings,
    baudRate: 9_600,
  })
  const port = await rig.opening
  expect(rig.notes).toEqual([])
  expect(await port.readLines()).toEqual({ dtr: true, rts: true, cts: true, dsr: true, ri: false, dcd: true })
  await port.signal({ dtr: false })
  expect(await port.readLines()).toMatchObject({ dtr: false, rts: true })
  expect(rig.server.requests).toContain("0509")
  await rig.server.send("ffff00ff")
  await rig.server.send("ff")
  await eventually(() => expect(rig.heard.bytes).toEqual(Uint8Array.of(0xff, 0, 0xff)))
})

test("the rate that a UART really has is taken for the one that was asked for", async () => {
  const answer = (body: string) => (body.startsWith("01") ? "650001c1a4" : undefined)
  const { opening, notes } = await openTestPort({ answer })
  await opening
  expect(notes).toEqual([])
})

test("another setting that the server keeps is noted at the opening, and refused later with nothing changed", async () => {
  const answer = (body: string) => (body.startsWith("03") ? "6701" : undefined)
  const { server, opening, notes } = await openTestPort({ answer }, systemClock, {
    ...defaultSettings,
    parity: "even",
  })
  const port = await opening
  const note = `${server.url} did not take parity even (it has none).`
  expect(notes).toEqual([note])
  expect(port.settings).toEqual({ ...defaultSettings, unsupported: ["parity"] })

  await port.configure({ ...defaultSettings, parity: "even", baudRate: 9_600 })
  expect(notes).toEqual([note, note])
  const inForce = { ...defaultSettings, baudRate: 9_600, unsupported: ["parity"] }
  expect(port.settings).toEqual(inForce)
  const refused = port.configure({ ...defaultSettings, parity: "odd", baudRate: 19_200 })
  await expect(refused).rejects.toMatchObject({
    code: "bad_request",
    message: "The device server does not take parity odd (it has none).",
  })
  await port.drain()
  expect(server.rate).toBe(9_600)
  expect(port.settings).toEqual(inForce)
})

test("a baud rate that the server refuses later changes nothing", async () => {
  const answer = (body: string) => (body === "0100000032" ? "650001c200" : undefined)
  const { server, opening } = await openTestPort({ answer })
  const port = await opening
  server.requests.length = 0
  const refused = port.configure({ ...defaultSettings, baudRate: 50, dataBits: 7 })
  await expect(refused).rejects.toMatchObject({ code: "bad_request" })
  expect(server.requests).not.toContain("0207")
})

test("a write is drained when the server has read it", async () => {
  let isReading = true
  const answer = () => (isReading ? undefined : null)
  const { server, opening } = await openTestPort({ answer })
  const port = await opening
  isReading = false
  await port.write(Uint8Array.of(1, 0xff, 2))
  let isDrained = false
  const drained = port.drain().then(() => {
    isDrained = true
  })
  await eventually(() => expect(server.received).toEqual(Uint8Array.of(1, 0xff, 2)))
  await eventually(() => expect(server.requests.at(-1)).toBe("0100000000"))
  expect(isDrained).toBe(false)
  await server.send(asSubnegotiation("650001c200"))
  await drained
})

test("closing rejects the drains that wait for a server that does not read", async () => {
  let isReading = true
  const { opening } = await openTestPort({ answer: () => (isReading ? undefined : null) })
  const port = await opening
  isReading = false
  await port.write(Uint8Array.of(1))
  const drains = [errorOf(port.drain()), errorOf(port.drain()), errorOf(port.drain())]
  await port.close()
  for (const problem of await Promise.all(drains)) expect(problem).toEqual(new Error("closed by the agent"))
})

test("while the server suspends, neither data nor requests are sent, and all of them after it resumes", async () => {
  const { server, opening } = await openTestPort()
  const port = await opening
  const { length } = server.requests
  await server.send(asSubnegotiation("6c"))
  await server.untilHeard()
  const write = port.write(Uint8Array.of(7))
  const signal = port.signal({ rts: false })
  // What it is told in the meantime still arrives.
  await server.send(asSubnegotiation("6b10"))
  await server.untilHeard()
  expect(await port.readLines()).toMatchObject({ cts: true })
  expect([server.received.byteLength, server.requests.length]).toEqual([0, length])
  await server.send(asSubnegotiation("6d"))
  await Promise.all([write, signal])
  await eventually(() => expect(server.received).toEqual(Uint8Array.of(7)))
  expect(server.requests).toContain("050c")
})

test("a request that failed while the server suspended is not sent when it resumes", async () => {
  const clock = new FakeClock()
  const { server, opening } = await openTestPort({}, clock)
  const port = await opening
  await server.send(asSubnegotiation("6c"))
  await server.untilHeard()
  const problem = await passTime(clock, errorOf(port.signal({ rts: false })))
  expect(problem).toMatchObject(noAnswer)
  await server.send(asSubnegotiation("6d"))
  await server.untilHeard()
  expect(await port.readLines()).toMatchObject({ dtr: true, rts: true })
  await port.signal({ dtr: false })
  expect(server.requests).toContain("0509")
  expect(server.requests).not.toContain("050c")
})

test("a purge lets a write go on that the server suspends, and closing rejects one", async () => {
  const { server, opening } = await openTestPort()
  const port = await opening
  await server.send(asSubnegotiation("6c"))
  await server.untilHeard()
  const dropped = port.write(Uint8Array.of(7))
  await port.purge()
  await dropped
  const write = errorOf(port.write(Uint8Array.of(8)))
  await port.close()
  expect(await write).toEqual(new Error("closed by the agent"))
  expect(server.received).toEqual(new Uint8Array(0))
})

test("a purge is passed on, and drops all but one piece of a write that the server does not read", async () => {
  const clock = new FakeClock()
  const { server, opening } = await openTestPort({}, clock)
  const port = await opening
  await port.purge()
  expect(server.requests).toContain("0c02")
  await server.stopReading()
  const write = port.write(new Uint8Array(32 * 1024 * 1024))
  const purge = errorOf(port.purge())
  await write
  // It does not answer either.
  expect(await passTime(clock, purge)).toMatchObject(noAnswer)
  await passTime(clock, port.close())
})

test("lines that the server never answers for are none, and it is asked once", async () => {
  const answer = (body: string) => (/^05(?:0[7-9]|0[a-c])$/.test(body) ? null : undefined)
  const { server, opening } = await openTestPort({ answer, opening: `fffd2c${asSubnegotiation("6b00")}` })
  const port = await opening
  expect(await port.readLines()).toMatchObject({ dtr: true, rts: true, cts: false })
  await expect(port.signal({ dtr: false })).rejects.toMatchObject({ code: "no_modem_lines" })
  expect(await port.readLines()).toBeNull()
  const { length } = server.requests
  await expect(port.signal({ rts: true })).rejects.toMatchObject({ code: "no_modem_lines" })
  expect(server.requests).toHaveLength(length)
  await port.signal({ break: true })
})

test("a line that the server keeps is a problem of the request", async () => {
  const answer = (body: string) => (body === "0509" ? "6908" : undefined)
  const port = await (await openTestPort({ answer })).opening
  const refused = port.signal({ dtr: false, rts: false })
  await expect(refused).rejects.toMatchObject({ message: "The device server left dtr as it was." })
  expect(await port.readLines()).toMatchObject({ dtr: true, rts: false })
})

test("a server that does not tell its baud rate is believed, with a note", async () => {
  const clock = new FakeClock()
  const answer = (body: string) => (["0100000000", "0507", "050a"].includes(body) ? null : undefined)
  const { server, opening, notes } = await openTestPort({ answer }, clock)
  await eventually(() => expect(server.requests).toContain("0100000000"))
  await server.untilHeard()
  await clock.advanceAsync(3_000)
  await eventually(() => expect(server.requests).toContain("0a02"))
  await server.untilHeard()
  await clock.advanceAsync(1_000)
  const port = await opening
  expect(notes).toEqual([
    `${server.url} does not tell its baud rate, so writes count as done before it has read them.`,
  ])
  await port.write(Uint8Array.of(1))
  await port.drain()
  await port.configure({ ...defaultSettings, baudRate: 9_600 })
  await port.signal({ dtr: false })
  expect(await port.readLines()).toMatchObject({ dtr: false })
  // At most the one that looks after the server, for as long as the connection stands.
  expect(clock.pendingTimers).toBeLessThanOrEqual(1)
})

test("an overrun of the UART is told, and the answer to a mask is not taken for one", async () => {
  // ser2net answers a mask with the number of the notification.
  const answer = (body: string) => (body === "0a02" ? "6a02" : undefined)
  const { server, opening, heard } = await openTestPort({ answer })
  await opening
  await server.send(asSubnegotiation("6a02"))
  await server.send(asSubnegotiation("6a08"))
  await server.send("41")
  await eventually(() => expect(heard.bytes).toEqual(Uint8Array.of(0x41)))
  expect(heard.overruns).toBe(1)
})

test("bytes that are lost because the server does not double ff are told, once until data comes again", async () => {
  const { server, opening, heard } = await openTestPort()
  await opening
  // ff fa is the beginning of a sub-negotiation, which only a command ends.
  await server.send("41fffa00")
  for (let n = 0; n < 3; n++) await server.send("00".repeat(600))
  await server.untilHeard()
  expect([heard.bytes, heard.overruns]).toEqual([Uint8Array.of(0x41), 1])
  await server.send("42fffa00fffa18")
  await server.untilHeard()
  expect([heard.bytes, heard.overruns]).toEqual([Uint8Array.of(0x41, 0x42), 2])
})

test("sub-negotiation that means nothing here is no loss", async () => {
  const { server, opening, heard } = await openTestPort()
  await opening
  await server.send("fffa1801fff0fffafff0fffa2c0501fff041")
  await server.untilHeard()
  expect([heard.bytes, heard.overruns]).toEqual([Uint8Array.of(0x41), 0])
})

test("a server that asks without end and does not read ends the port: what it is answered costs bounded memory", async () => {
  const { server, opening, heard } = await openTestPort()
  await opening
  await server.stopReading()
  const asking = server.send("fff6".repeat(6 * 1024 * 1024))
  expect(await heard.closed).toEqual({ reason: "the device server does not read what it is sent" })
  await asking
})

test("settings whose answers do not come within 3 s have failed, and are followed by the former ones", async () => {
  const clock = new FakeClock()
  let isAnswering = true
  const { server, opening } = await openTestPort({ answer: () => (isAnswering ? undefined : null) }, clock)
  const port = await opening
  isAnswering = false
  server.requests.length = 0
  const problem = await passTime(clock, errorOf(port.configure({ ...defaultSettings, baudRate: 9_600 })))
  expect(problem).toMatchObject(noAnswer)
  await eventually(() =>
    expect(server.requests.filter((body) => body.startsWith("01"))).toEqual([
      "0100002580",
      "0100000000",
      "010001c200",
      "0100000000",
    ]),
  )
  await port.close()
  expect(clock.pendingTimers).toBe(0)
})

test("a server that withdraws from RFC 2217, or hangs up, ends the port and what waits", async () => {
  const withdrawn = await openTestPort()
  await withdrawn.opening
  await withdrawn.server.send("fffe2c")
  expect(await withdrawn.heard.closed).toEqual({ reason: "the device server takes no settings any more" })

  const gone = await openTestPort({ answer: (body) => (body === "0c02" ? null : undefined) })
  const port = await gone.opening
  const purge = errorOf(port.purge())
  gone.server.hangUp()
  expect(await gone.heard.closed).toEqual({ reason: "the device server closed the connection" })
  await purge
  await expect(port.drain()).rejects.toThrow("the port is closed")
})
