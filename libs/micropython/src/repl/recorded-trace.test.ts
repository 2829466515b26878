import { after } from "@serialcast/primitives"
import { describe, expect, test } from "vitest"
import { createBoardMemory } from "../board/board-memory.ts"
import { play } from "../testing/play.ts"
import { createReplay, type Exchange } from "../testing/replay.ts"
import type { Conversation } from "./conversation.ts"
import { learnInput } from "./learn-input.ts"
import { leaveRaw } from "./leave-raw.ts"
import { endOfCode, nextOutput, startCode } from "./run-code.ts"
import { takeOver } from "./take-over.ts"
import { Talk } from "./talk.ts"

const banner =
  'MicroPython v1.27.0 on 2025-12-10; JS with Emscripten\r\nType "help()" for more information.\r\n>>> '
const ask = "print('s58398');import sys;print(sys.implementation)\u0004"
const told =
  "OKs58398\n(name='micropython', version=(1, 27, 0, ''), _machine='JS with Emscripten', _mpy=774, _build='pyscript')\n\u0004\u0004>"
const traceback =
  'Traceback (most recent call last):\r\n  File "<stdin>", line 2, in <module>\r\nZeroDivisionError: divide by zero\r\n'
const interrupted =
  'Traceback (most recent call last):\r\n  File "<stdin>", line 1, in <module>\r\nKeyboardInterrupt: \r\n'

const work: readonly Exchange[] = [
  [ask, told],
  ["\u0005A\u0001", "R\u0001\u0080\u0000\u0001"],
  ["0\u0004", "\u0004\u0004\u0004>"],
  ["\u0005A\u0001", "R\u0001\u0080\u0000\u0001"],
  ["print('hi', 1+1)\n1/0\u0004", `\u0004hi 2\n\u0004${traceback}\u0004>`],
  ["\u0002", `\r\n${banner}`],
]

/** As they were recorded with MicroPython 1.27. */
const traces: readonly { title: string; found: string; exchanges: readonly Exchange[] }[] = [
  {
    title: "a board at its prompt, behind its start",
    found: "prompt",
    exchanges: [["\u0001", `${banner}\r\nraw REPL; CTRL-B to exit\r\n>`], ...work],
  },
  {
    title: "a board in raw mode",
    found: "raw",
    exchanges: [["\u0001", "raw REPL; CTRL-B to exit\r\n>"], ...work],
  },
  {
    title: "a board in the middle of a line",
    found: "line",
    exchanges: [
      ["\u0001", "\u001b[11D"],
      ["\u0003", "\r\n>>> "],
      ["\u0001", "\r\nraw REPL; CTRL-B to exit\r\n>"],
      ...work,
    ],
  },
  {
    title: "a board with a program, whose input has kept the first byte",
    found: "program",
    exchanges: [["\u0001", ""], ["\u0003", `${interrupted}>>> \r\nraw REPL; CTRL-B to exit\r\n>`], ...work],
  },
]

/** Takes a board, learns it, runs a program that fails, and leaves it. */
function* wholeConversation(): Conversation<readonly string[]> {
  const [talk, memory] = [new Talk(), createBoardMemory()]
  const options = { isBoard: false, said: new Uint8Array(0), word: "s58398", timeoutMs: 4_500 }
  const { found, version } = yield* takeOver(talk, options)
  yield* learnInput(talk, memory)
  yield* startCode(talk, "print('hi', 1+1)\n1/0", memory)
  let output = ""
  for (;;) {
    const piece = yield* nextOutput(talk, after(talk.nowMs, 1_000))
    if (!(piece instanceof Uint8Array)) break
    output += Buffer.from(piece).toString("latin1")
  }
  const error = yield* endOfCode(talk, after(talk.nowMs, 1_000))
  yield* leaveRaw(talk)
  return [found, version ?? "", String(memory.inputBytes), output, error]
}

const outcome = (found: string) => [found, "1.27.0", "256", "hi 2\n", traceback]

describe.each(traces)("the recorded trace of $title", ({ found, exchanges }) => {
  test("is answered byte for byte", () => {
    const replay = createReplay(exchanges)
    expect(play(wholeConversation(), replay).result).toEqual(outcome(found))
    expect(replay.isOver).toBe(true)
  })
})

/** Who has read the prompt and not what follows asks once more, which was not recorded. */
const answered = traces.filter(({ found }) => found !== "program")

describe.each(answered)("the recorded trace of $title", ({ found, exchanges }) => {
  test("is answered the same wherever reads split it, and byte by byte", () => {
    const longest = Math.max(...exchanges.map(([, answered]) => answered.length))
    for (let at = 1; at < longest; at++) {
      let isFirst = true
      const firstOf = () => {
        isFirst = !isFirst
        return isFirst ? Number.POSITIVE_INFINITY : at
      }
      expect(play(wholeConversation(), createReplay(exchanges), firstOf).result).toEqual(outcome(found))
    }
    expect(play(wholeConversation(), createReplay(exchanges), () => 1).result).toEqual(outcome(found))
  })
})
