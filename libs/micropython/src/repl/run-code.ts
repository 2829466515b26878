import { AppError } from "@serialcast/contract"
import { after, type MonotonicMs } from "@serialcast/primitives"
import type { BoardMemory } from "../board/board-memory.ts"
import type { Conversation } from "./conversation.ts"
import { sendByStatements } from "./plain-raw.ts"
import { enterRawPaste, sendByWindow } from "./raw-paste.ts"
import { rawBanner, rawPrompt, replCode } from "./repl-codes.ts"
import type { Talk } from "./talk.ts"

/** In plain raw mode at most so many bytes are on their way, whatever the board takes while it is busy. */
const statementBytes = 255
/** As long as nobody knows how much that is. */
const smallestInput = 64
const endMark = replCode.end
const promptMs = 2_000
/** The longest that boards are known to take for boot.py, which looks for its network. */
const restartMs = 30_000
/** What still comes of a program that was interrupted. */
const restMs = 5_000
const keptErrorBytes = 16 * 1024
const encoder = new TextEncoder()

/**
 * Sends code to a board in raw mode and makes it run: by raw-paste where the board has that, which is found out once. Its
 * output follows. Throws `board_timeout` when the board falls silent; it is in no known state then.
 */
export function* startCode(talk: Talk, code: string, memory: BoardMemory): Conversation<void> {
  const bytes = encoder.encode(code)
  const isTaken =
    memory.hasRawPaste === false
      ? yield* sendPlain(talk, bytes, memory)
      : yield* sendByRawPaste(talk, bytes, memory)
  if (!isTaken) throw new AppError("board_timeout", "The board fell silent while it was sent code.")
}

function* sendByRawPaste(talk: Talk, bytes: Uint8Array, memory: BoardMemory): Conversation<boolean> {
  const entry = yield* enterRawPaste(talk)
  if (entry.kind === "entered") {
    memory.hasRawPaste = true
    return yield* sendByWindow(talk, bytes, entry.increment)
  }
  // A board that had it a moment ago has it still: it is only silent.
  if (memory.hasRawPaste === true) return false
  memory.hasRawPaste = false
  if (entry.kind === "silent" && !(yield* beginAgain(talk))) return false
  return yield* sendPlain(talk, bytes, memory)
}

function sendPlain(talk: Talk, bytes: Uint8Array, memory: BoardMemory): Conversation<boolean> {
  // None at all would be a soft reset.
  const code = bytes.byteLength === 0 ? encoder.encode("\n") : bytes
  return sendByStatements(talk, code, Math.min(statementBytes, (memory.inputBytes ?? smallestInput) - 1))
}

/** True: back at an empty line of raw mode, from wherever a request that was not answered has led. */
export function* beginAgain(talk: Talk): Conversation<boolean> {
  yield* talk.send(replCode.interrupt, replCode.raw)
  return yield* talk.past(rawBanner.subarray(2), after(talk.nowMs, promptMs))
}

/** What a program says next: a piece of its output, or `null` at its end; `silent`: nothing before the deadline. */
export function* nextOutput(talk: Talk, deadlineMs: MonotonicMs): Conversation<Uint8Array | null | "silent"> {
  const bytes = yield* talk.some(deadlineMs)
  if (bytes === null) return "silent"
  const end = bytes.indexOf(endMark)
  if (end < 0) return bytes
  if (end === 0) {
    talk.giveBack(bytes.subarray(1))
    return null
  }
  talk.giveBack(bytes.subarray(end))
  return bytes.subarray(0, end)
}

/**
 * What follows on the output: the traceback, and the prompt; behind `sys.exit()` that of a board that has started anew, in
 * raw mode as before. Throws `board_timeout` when they do not come.
 */
export function* endOfCode(talk: Talk, deadlineMs: MonotonicMs): Conversation<string> {
  let kept = new Uint8Array(0)
  for (;;) {
    const piece = yield* nextOutput(talk, deadlineMs)
    if (piece === "silent") throw new AppError("board_timeout", "The end of a traceback did not come.")
    if (piece === null) break
    const whole = new Uint8Array(kept.byteLength + piece.byteLength)
    whole.set(kept)
    whole.set(piece, kept.byteLength)
    kept = whole.subarray(Math.max(0, whole.byteLength - keptErrorBytes))
  }
  const endMs = yield* talk.deadline(promptMs)
  const first = yield* talk.byte(endMs)
  const isThere =
    first === rawPrompt[0] || (first !== null && (yield* talk.past(rawBanner, after(talk.nowMs, restartMs))))
  if (!isThere) throw new AppError("board_timeout", "The prompt of raw mode did not come behind a program.")
  return new TextDecoder().decode(kept)
}

/** Interrupts what runs, and reads up to its end; false: it goes on. What it says meanwhile is forgotten. */
export function* interruptCode(talk: Talk): Conversation<boolean> {
  for (let tries = 0; tries < 3; tries++) {
    yield* talk.send(replCode.interrupt)
    const endMs = after(talk.nowMs, 1_000)
    for (;;) {
      const piece = yield* nextOutput(talk, endMs)
      if (piece === "silent") break
      if (piece === null) {
        yield* endOfCode(talk, after(talk.nowMs, restMs))
        return true
      }
    }
  }
  return false
}
