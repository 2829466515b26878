import { seededRandom } from "@serialcast/testkit"
import { Terminal } from "@xterm/xterm"
import fc from "fast-check"
import { expect, test } from "vitest"
import { guardErase } from "./guard-erase.ts"
import { TerminalFilter } from "./terminal-filter.ts"

const size = { columns: 80, rows: 24 }
const encode = (text: string) => new TextEncoder().encode(text)
const bytesOf = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0))
const finals = Array.from({ length: 0x7f - 0x40 }, (_, n) => String.fromCharCode(0x40 + n))

/** What comes out, and nothing more comes at the end. */
function filtered(bytes: Uint8Array): string {
  const filter = new TerminalFilter(() => size)
  return filter.push(bytes) + filter.end()
}

const numbersIn = (text: string) => [...text.matchAll(/\d+/g)].map(([digits]) => Number(digits))

test.each(["", " ", "'", '"', "!", "$", "*", "?", ">", "<", "="])(
  "no count of a sequence with %j is larger than the terminal, whatever its final byte, in both forms of its introducer",
  (around) => {
    for (const introducer of ["\x1b[", "\u009b"]) {
      for (const final of finals) {
        for (const count of ["2147483647", "81", "0000000000000081", "9".repeat(200), "1;999999999;5"]) {
          const body = "?><=".includes(around) ? `${around}${count}` : `${count}${around}`
          const numbers = numbersIn(filtered(encode(`${introducer}${body}${final}`)))
          for (const number of numbers) expect(number).toBeLessThanOrEqual(final === "m" ? 9_999 : 80)
        }
      }
    }
  },
)

test("a count of lines is no larger than the terminal is high", () => {
  for (const final of "LMST") expect(filtered(encode(`\x1b[80${final}`))).toBe(`\x1b[24${final}`)
})

test.each([
  ["text of many scripts and line ends", "Grüße 日本 🙂\r\n\ttab\b\x07\v\f\x0e\x0f"],
  ["colours", "\x1b[m\x1b[1;31m\x1b[38;5;196m\x1b[38;2;255;128;0m\x1b[4:3m"],
  ["the cursor's moves and shape", "\x1b[H\x1b[2;5H\x1b[3A\x1b[7G\x1b[5d\x1b[s\x1b[u\x1b[2 q\x1b7\x1b8"],
  ["erasing, inserting and scrolling", "\x1b[2J\x1b[K\x1b[?J\x1b[4P\x1b[2@\x1b[3L\x1b[2;9r\x1b[5 @\x1b[2'}"],
  ["modes that draw", "\x1b[4h\x1b[?7l\x1b[?25l\x1b[?1049h\x1b[?1;6l"],
  ["escapes", "\x1bD\x1bE\x1bH\x1bM\x1bc\x1b=\x1b>\x1b(0\x1b)B\x1b#8\x1b[!p"],
])("%s pass as they are", (_title, text) => expect(filtered(encode(text))).toBe(text))

test.each([
  [
    "mouse and focus reports, brackets around pastes",
    "\x1b[?9;1000;1002;1003;1004;1005;1006;1015;1016;2004h",
  ],
  ["modes of terminals to come", "\x1b[?2026;2031;2048;9001h\x1b[20h"],
  [
    "DA, DSR, DECRQM, DECREQTPARM and window reports",
    "\x1b[c\x1b[>c\x1b[=c\x1b[6n\x1b[?6n\x1b[4$p\x1b[?7$p\x1b[x\x1b[21t",
  ],
  ["DECID and ENQ", "\x1bZ\u009a\x05"],
  ["keyboard protocols", "\x1b[>4;2m\x1b[>1u\x1b[?u\x1b[=1;1u"],
  [
    "colour queries, titles, links and the clipboard",
    "\x1b]10;?\x07\x1b]0;title\x1b\\\u009d52;c;aGk=\u009c\x1b]8;;http://x\x07",
  ],
  ["DECRQSS, APC, PM and SOS", "\x1bP$qm\x1b\\\x1b_G\x1b\\\x1b^x\x1b\\\x1bXx\x1b\\\u0090+q\u009c"],
  ["what is no sequence", "\x1b[1$2m\x1b[1?h\x1b[;<m\x1b%G\x1b l"],
  ["NUL, DEL and what has no begin", "\x00\x7f\x1b\\\u009c\x18\x1a"],
])("%s do not pass", (_title, text) => expect(filtered(encode(`${text}after`))).toBe("after"))

test("of several modes in one sequence, those that draw pass", () => {
  expect(filtered(encode("\x1b[?25;1003;07;2004h"))).toBe("\x1b[?25;07h")
})

test("bytes that are not UTF-8 become U+FFFD, and hide no control", () => {
  expect(filtered(bytesOf("a\xffb\x9b5nc\xc2"))).toBe("a\uFFFDb\uFFFD5nc\uFFFD")
  // Overlong, and of a surrogate.
  expect(filtered(bytesOf("\xc1\x9b5n\xed\xa0\x80"))).toMatch(/^\uFFFD+5n\uFFFD+$/)
})

test("controls inside a sequence are obeyed, a new one ends it, and so do CAN and what no sequence has", () => {
  expect(filtered(encode("\x1b[3\r\n1mx"))).toBe("\r\n\x1b[31mx")
  expect(filtered(encode("\x1b[3\x1b[31m"))).toBe("\x1b[31m")
  expect(filtered(encode("\x1b[3\x18m"))).toBe("m")
  expect(filtered(encode("\x1b[3é\x1bü"))).toBe("éü")
})

test.each(["\x1b]", "\x1bP", "\x1bX", "\x1b^", "\x1b_", "\u0090"])(
  "noise that looks like the begin of a title or another string hides one line at most: %j",
  (begin) => {
    expect(filtered(encode(`${begin}noise\r\nnext\r\n`))).toBe("\nnext\r\n")
  },
)

test("nothing is held of what a device sends without an end", () => {
  for (const start of ["\x1b[", "\x1b]", "\x1bP", "\x1b(", "\u009b"]) {
    const filter = new TerminalFilter(() => size)
    filter.push(encode(start))
    for (let n = 0; n < 40; n++) expect(filter.push(new Uint8Array(100_000).fill(0x20))).toBe("")
    expect(filter.end() + filter.push(encode("x"))).toBe("x")
  }
})

/** Pieces that hostile text is made of. */
const pieces = fc.constantFrom(
  ..."\x1b [ ] P ? > ; : 1 25 1003 2004 2147483647 h l L b c n m t q $ ' ! ( # \x07 \x18 \r \n x é 日".split(
    " ",
  ),
  " ",
  "\x1b[",
  "\x1b[?",
  "\u009b",
  "\u009d",
  "\x1b\\",
)
const hostile = fc.array(pieces, { maxLength: 60 }).map((parts) => encode(parts.join("")))

test("the same bytes give the same text wherever they are split, one by one too", () => {
  fc.assert(
    fc.property(fc.oneof(hostile, fc.uint8Array({ maxLength: 40 })), (bytes) => {
      const whole = filtered(bytes)
      for (let at = 0; at <= bytes.byteLength; at++) {
        const filter = new TerminalFilter(() => size)
        expect(filter.push(bytes.subarray(0, at)) + filter.push(bytes.subarray(at)) + filter.end()).toBe(
          whole,
        )
      }
      const filter = new TerminalFilter(() => size)
      expect(Array.from(bytes, (byte) => filter.push(Uint8Array.of(byte))).join("") + filter.end()).toBe(
        whole,
      )
    }),
  )
})

/** A real terminal, and what it would type. */
function openTerminal() {
  const terminal = new Terminal({
    cols: size.columns,
    rows: size.rows,
    scrollback: 10,
    allowProposedApi: true,
  })
  guardErase(terminal)
  const typed: string[] = []
  terminal.onData((text) => typed.push(text))
  terminal.onBinary((text) => typed.push(text))
  const write = (text: string) => new Promise<void>((resolve) => terminal.write(text, resolve))
  return { terminal, typed, write }
}

test("of 100,000 random sequences a real terminal answers none, is put into no mode that types, and ends in plain text", async () => {
  const random = seededRandom()
  const pick = (texts: readonly string[]) => texts[Math.floor(random.next() * texts.length)] ?? ""
  const starts = ["\x1b[", "\x1b[", "\x1b[", "\x1b[?", "\x1b[>", "\x1b", "\u009b", "\x1b]", "\x1bP", "x"]
  const numbers = ["", "1", "6", "25", "47", "1000", "1003", "1004", "2004", "65535", "2147483647"]
  const ends = [...finals, " q", "$p", "'}", '"q', "!p", "\x07", "\x1b\\", "\r\n"]
  const { terminal, typed, write } = openTerminal()
  const filter = new TerminalFilter(() => size)
  for (let n = 0; n < 100; n++) {
    const texts = Array.from(
      { length: 1_000 },
      () => `${pick(starts)}${pick(numbers)};${pick(numbers)}${pick(ends)}`,
    )
    await write(filter.push(encode(texts.join(""))))
  }
  await write(`${filter.end()}\x1bcplain`)
  expect(typed, `seed ${random.seed}`).toEqual([])
  const { mouseTrackingMode, bracketedPasteMode, sendFocusMode } = terminal.modes
  expect([mouseTrackingMode, bracketedPasteMode, sendFocusMode]).toEqual(["none", false, false])
  expect(terminal.buffer.active.getLine(0)?.translateToString(true)).toBe("plain")
})

test.each(["\x1b[1J", "\x1b[?1J"])(
  "erasing above the last cell, %j, stops no terminal, with a screen behind it or not",
  async (erase) => {
    const { terminal, write } = openTerminal()
    for (const screen of ["", "\x1b[?1049h", "\x1bc", "\n".repeat(40), "\x1b[3J"]) {
      await write(filtered(encode(`${screen}\x1b[999;999H${erase}`)))
      await write(filtered(encode(`\x1b[999;999Hx${erase}`)))
    }
    await write(filtered(encode("\x1bcabc\r\ndef\x1b[1J")))
    const lines = [0, 1].map((n) => terminal.buffer.active.getLine(n)?.translateToString(true))
    expect(lines).toEqual(["", ""])
  },
)

test("what passes shows what the bytes themselves would have shown, counts beyond the terminal too", async () => {
  const screens = await Promise.all(
    [(text: string) => text, (text: string) => filtered(encode(text))].map(async (change) => {
      const { terminal, write } = openTerminal()
      await write(change(Array.from({ length: 24 }, (_, n) => `line ${n} ${"abc".repeat(20)}\r\n`).join("")))
      for (const final of "ABCDEFGHIKLMPSTXZ`abde") {
        await write(change(`\x1b[5;10H\x1b[200${final}*\x1b[7;3H\x1b[3${final}+`))
      }
      const lines = Array.from({ length: 24 }, (_, n) =>
        terminal.buffer.active.getLine(n)?.translateToString(),
      )
      return { lines, x: terminal.buffer.active.cursorX, y: terminal.buffer.active.cursorY }
    }),
  )
  expect(screens[1]).toEqual(screens[0])
})
