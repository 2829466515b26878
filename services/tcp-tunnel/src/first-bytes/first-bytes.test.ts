import { seededRandom } from "@serialcast/testkit"
import { describe, expect, test } from "vitest"
import { FirstBytes, type FirstBytesVerdict } from "./first-bytes.ts"

const latin = (text: string) => Uint8Array.from(Buffer.from(text, "latin1"))
const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"))

function verdictOf(segments: readonly Uint8Array[]): FirstBytesVerdict {
  const first = new FirstBytes()
  let verdict: FirstBytesVerdict = "maybe"
  for (const segment of segments) {
    verdict = first.take(segment)
    if (verdict === "page" || verdict === "other") break
  }
  return verdict
}

/** Whole, in two at every place, and byte by byte. */
function cuts(bytes: Uint8Array): Uint8Array[][] {
  const halves = Array.from(bytes, (_, at) => [bytes.subarray(0, at), bytes.subarray(at)])
  return [[bytes], ...halves, Array.from(bytes, (byte) => Uint8Array.of(byte))]
}

describe("a web browser, wherever its packets are cut:", () => {
  test.each<[string, Uint8Array]>([
    ["a form", latin("POST / HTTP/1.1\r\nHost: 127.0.0.1:7001\r\n\r\nreboot\r\n")],
    ["a picture", latin("GET /reboot%0d%0a?x=1 HTTP/1.1\r\n")],
    ["a preflight", latin("OPTIONS / HTTP/1.1\r\n")],
    ["a method of the page's own", latin("x-Reboot!#$%&'*+.^_`|~9 / HTTP/1.1\r\n")],
    ["a proxy's target", latin("GET http://127.0.0.1:7001/ HTTP/1.1\r\n")],
    ["a tunnel through a proxy", latin("CONNECT 127.0.0.1:7001 HTTP/1.1\r\n")],
    ["an old version", latin("GET / HTTP/1.0\r\n")],
    ["HTTP/2 by prior knowledge", latin("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")],
    ["https: and wss:", hex("16 0301 0200 01 0001fc 0303")],
    ["a TURN server", hex("0003 0008 2112a442 000102030405060708090a0b 0019 0004 11000000")],
    ["a STUN server", hex("0001 0000 2112a442 000102030405060708090a0b")],
    ["a WebRTC peer over TCP", hex("0054 0001 0040 2112a442 000102030405060708090a0b 0006")],
  ])("%s", (_what, bytes) => {
    for (const segments of cuts(bytes)) expect(verdictOf(segments)).toBe("page")
  })

  test("a path of 64 KiB, and one that is longer still and has no end", () => {
    const long = latin(`GET /${"x".repeat(60_000)} HTTP/1.1\r\n`)
    expect(verdictOf([long.subarray(0, 1_460), long.subarray(1_460, 14_600), long.subarray(14_600)])).toBe(
      "page",
    )
    const endless = Array.from({ length: 100 }, (_, at) => latin(at === 0 ? "GET /" : "x".repeat(1_000)))
    expect(verdictOf(endless)).toBe("page")
  })
})

describe("no web browser, at the first byte that shows it:", () => {
  test.each<[string, Uint8Array]>([
    ["a command of a modem", latin("AT\r")],
    ["a command with a space", latin("show version\r")],
    ["G-code", latin("G1 X10\n")],
    ["Enter", latin("\r")],
    ["a path in a shell", latin("ls /dev\n")],
    ["a text with two spaces", latin("GET me o")],
    ["a version that is none", latin("GET / HTTX")],
    ["JSON", latin("{")],
    ["telnet", hex("ff")],
    ["MODBUS RTU", hex("01 03 0000")],
    ["MODBUS TCP", hex("0001 0000 00")],
    ["an ESP's SLIP frame", hex("c0")],
    ["a wake-up of zeros", hex("00 00 00 00")],
    ["text after SYN", hex("16 41")],
    ["an XMODEM block", hex("01 01 fe")],
  ])("%s", (_what, bytes) => {
    expect(verdictOf([bytes])).toBe("other")
    expect(verdictOf([bytes.subarray(0, -1)])).not.toBe("other")
  })
})

test.each<[string, string]>([
  ["G", "maybe"],
  ["GET ", "maybe"],
  ["GET /", "likely"],
  ["GET / HTTP/", "likely"],
  ["GET x", "maybe"],
  ["U".repeat(100_000), "maybe"],
  ["\x16\x03\x01", "packet"],
  ["\x00\x54\x00", "packet"],
])("%j is not known yet: %s", (text, verdict) => {
  expect(verdictOf([latin(text.slice(0, 5)), latin(text.slice(5))])).toBe(verdict)
})

test("random bytes are told alike however they are cut", () => {
  const random = seededRandom()
  const often = latin("GET / HTTP/1.1\r\n\x16\x03\x01\x00\x01")
  for (let round = 0; round < 300; round++) {
    const bytes = random.bytes(24).map((byte) => (byte % 4 === 0 ? byte : (often[byte % often.length] ?? 0)))
    const verdicts = new Set(cuts(bytes).map(verdictOf))
    expect(verdicts.size, `seed ${random.seed}, round ${round}`).toBe(1)
  }
})
