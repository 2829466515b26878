import { after, type MonotonicMs } from "@serialcast/primitives"
import type { BoardMemory } from "../board/board-memory.ts"
import type { Conversation } from "./conversation.ts"
import { enterRawPaste } from "./raw-paste.ts"
import { replCode } from "./repl-codes.ts"
import { beginAgain, endOfCode, interruptCode, nextOutput, startCode } from "./run-code.ts"
import type { Talk } from "./talk.ts"

/** So little every board takes while it is busy. */
const smallestInput = 64
/** No more is made use of. */
const largestInput = 256
const sleepMs = 300
const answerMs = 3_000
const fill = 0x61
const stop = 0x7a

/** Sleeps while it is sent more than a small input takes, and counts what is left of it. */
const countingCode = `import sys,time
def _sc():
 n=0
 print('r')
 time.sleep_ms(${sleepMs})
 while sys.stdin.read(1)!='z':n+=1
 print(n)
try:_sc()
finally:del _sc
`

/**
 * Finds out, once for a board, how it is sent code, and how much it takes while it is busy. Raw-paste tells: the board
 * grants what it takes. Without that it is measured, by bytes that mean nothing, at 9600 baud and more; more slowly so much
 * is never on its way. Throws `board_timeout` or `board_busy`; the board is in no known state then.
 */
export function* learnInput(talk: Talk, memory: BoardMemory): Conversation<void> {
  const entry = yield* enterRawPaste(talk)
  if (entry.kind === "entered") {
    memory.hasRawPaste = true
    memory.inputBytes = 2 * entry.increment
    // Code that does nothing; none at all would be a soft reset to some.
    yield* talk.send(0x30, replCode.end)
    yield* talk.past(Uint8Array.of(replCode.end, replCode.end), after(talk.nowMs, answerMs))
    yield* endOfCode(talk, after(talk.nowMs, answerMs))
    return
  }
  if (entry.kind === "silent") yield* beginAgain(talk)
  memory.hasRawPaste = false
  memory.inputBytes ??= yield* measureInput(talk, memory)
}

function* measureInput(talk: Talk, memory: BoardMemory): Conversation<number> {
  yield* startCode(talk, countingCode, memory)
  const isReady = yield* awaitOutput(talk, /r\r?\n$/, after(talk.nowMs, answerMs))
  if (isReady === null) return smallestInput
  yield* talk.send(new Uint8Array(largestInput).fill(fill))
  yield* talk.some(after(talk.nowMs, sleepMs + 100))
  yield* talk.send(stop)
  const told = yield* awaitOutput(talk, /(\d+)\r?\n$/, after(talk.nowMs, answerMs))
  if (told === null) return smallestInput
  yield* nextOutput(talk, after(talk.nowMs, answerMs))
  yield* endOfCode(talk, after(talk.nowMs, answerMs))
  return Math.min(largestInput, Math.max(smallestInput, Number(told[1] ?? 0)))
}

/** null: the program ended, or had to be ended, without saying so. */
function* awaitOutput(
  talk: Talk,
  wanted: RegExp,
  deadlineMs: MonotonicMs,
): Conversation<RegExpExecArray | null> {
  let text = ""
  for (;;) {
    const piece = yield* nextOutput(talk, deadlineMs)
    if (piece === "silent") {
      yield* interruptCode(talk)
      return null
    }
    if (piece === null) {
      yield* endOfCode(talk, deadlineMs)
      return null
    }
    text = (text + String.fromCharCode(...piece.subarray(-32))).slice(-32)
    const found = wanted.exec(text)
    if (found !== null) return found
  }
}
