import { Terminal } from "@xterm/xterm"
import { expect, test } from "vitest"
import { listenForTyping } from "./typed-input.ts"

function openTerminal() {
  const terminal = new Terminal()
  const typed: string[] = []
  const answers: string[] = []
  terminal.onData((text) => answers.push(text))
  listenForTyping(terminal, (text) => typed.push(text))
  const write = (text: string) => new Promise<void>((resolve) => terminal.write(text, resolve))
  return { terminal, typed, answers, write }
}

test.each([
  ["DA1", "\x1b[c"],
  ["DA2", "\x1b[>c"],
  ["DSR", "\x1b[5n"],
  ["CPR", "\x1b[6n"],
  ["DECXCPR", "\x1b[?6n"],
  ["DECRQM of a private mode", "\x1b[?25$p"],
  ["DECRQM of an ANSI mode", "\x1b[4$p"],
  ["DECRQSS", "\x1bP$qm\x1b\\"],
])("%s, which xterm.js answers, is not answered to the device", async (_, query) => {
  const { typed, answers, write } = openTerminal()
  await write(query)
  expect(answers).toHaveLength(1)
  expect(typed).toEqual([])
})

test("typing passes before, after and between answers", async () => {
  const { terminal, typed, write } = openTerminal()
  terminal.input("a")
  await write("\x1b[c")
  terminal.input("b\r")
  await write("\x1b[6n\x1b[5n")
  expect(typed).toEqual(["a", "b\r"])
})

test("input that no person made does not pass", () => {
  const { terminal, typed } = openTerminal()
  terminal.input("ghost", false)
  expect(typed).toEqual([])
})
