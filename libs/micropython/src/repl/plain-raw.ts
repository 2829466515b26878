import { after } from "@serialcast/primitives"
import type { Conversation } from "./conversation.ts"
import { bytesLiteral } from "./python-literal.ts"
import { rawPrompt, replCode } from "./repl-codes.ts"
import type { Talk } from "./talk.ts"

const encoder = new TextEncoder()
const okay = encoder.encode("OK")
const endMark = Uint8Array.of(replCode.end)
/** Compiling and running one short statement, with a collection of garbage. */
const answerMs = 5_000
const collector = "_sc"

/**
 * Sends code in raw mode, where nothing says how much the board takes: one statement of at most `maxBytes` at a time, each
 * of which is answered before the next one. What is longer is collected on the board as text, and run at the end. True: its
 * output follows. False: the board fell silent, or did not take a part.
 */
export function* sendByStatements(talk: Talk, code: Uint8Array, maxBytes: number): Conversation<boolean> {
  if (code.byteLength < maxBytes) return yield* sendStatement(talk, code)
  const room = maxBytes - encoder.encode(`${collector}+=b''`).byteLength - endMark.byteLength
  let operator = "="
  for (const literal of literalsOf(code, room)) {
    if (!(yield* sendStatement(talk, encoder.encode(`${collector}${operator}${literal}`)))) return false
    if (!(yield* endsEmpty(talk))) return false
    operator = "+="
  }
  // The name is gone before the code runs, which may be the last that the board does.
  return yield* sendStatement(talk, encoder.encode(`exec(globals().pop('${collector}'))`))
}

function* sendStatement(talk: Talk, code: Uint8Array): Conversation<boolean> {
  yield* talk.send(code, replCode.end)
  return yield* talk.past(okay, after(talk.nowMs, answerMs))
}

/** A statement that has nothing to say has two ends behind one another. */
function* endsEmpty(talk: Talk): Conversation<boolean> {
  const endMs = after(talk.nowMs, answerMs)
  const ends = yield* talk.exactly(3, endMs)
  return ends !== null && ends[0] === replCode.end && ends[1] === replCode.end && ends[2] === rawPrompt[0]
}

/** `code` as literals of which none has more characters between its quotes than `room`. */
function* literalsOf(code: Uint8Array, room: number): Generator<string> {
  for (let at = 0; at < code.byteLength; ) {
    let length = Math.min(room, code.byteLength - at)
    let literal = bytesLiteral(code.subarray(at, at + length))
    while (literal.length - 3 > room) literal = bytesLiteral(code.subarray(at, at + --length))
    yield literal
    at += length
  }
}
