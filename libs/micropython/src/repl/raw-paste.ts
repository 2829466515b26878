import { after } from "@serialcast/primitives"
import type { Conversation } from "./conversation.ts"
import { rawBanner, rawPrompt, replCode } from "./repl-codes.ts"
import type { Talk } from "./talk.ts"

const request = Uint8Array.of(replCode.paste, 0x41, 0x01)
const answerMs = 1_000
/** A board that writes to its flash, or collects garbage, takes so long at most. */
const windowMs = 5_000
const grant = 0x01
const letterR = 0x52

/** `entered`: code may be sent. `refused`: the board is in raw mode as before. `silent`: nobody knows. */
export type RawPasteEntry =
  | { readonly kind: "entered"; readonly increment: number }
  | { readonly kind: "refused" }
  | { readonly kind: "silent" }

/** Asks for raw-paste mode, which boards have from MicroPython 1.14 on. */
export function* enterRawPaste(talk: Talk): Conversation<RawPasteEntry> {
  yield* talk.send(request)
  const endMs = after(talk.nowMs, answerMs)
  const answer = yield* talk.exactly(2, endMs)
  if (answer === null) return { kind: "silent" }
  if (answer[0] === letterR && answer[1] === 1) {
    const increment = yield* talk.exactly(2, endMs)
    if (increment === null) return { kind: "silent" }
    return { kind: "entered", increment: (increment[0] ?? 0) + 256 * (increment[1] ?? 0) }
  }
  // `R 00`: known and not there. `ra`: the banner once more, of a firmware that took the 01 for Ctrl-A.
  const mark = answer[0] === letterR ? rawPrompt : rawBanner.subarray(2)
  return { kind: (yield* talk.past(mark, endMs)) ? "refused" : "silent" }
}

/**
 * Sends code as fast as the board grants. True: it was taken, or the board gave it up (an error of syntax), and its output
 * follows. False: the board fell silent.
 */
export function* sendByWindow(talk: Talk, code: Uint8Array, increment: number): Conversation<boolean> {
  // The first grant is already counted; one more comes at once.
  let window = increment
  let endMs = after(talk.nowMs, windowMs)
  // The end needs room as well: it would be the byte that a full input drops.
  for (let at = 0; at < code.byteLength || window === 0; ) {
    if (window > 0) {
      const piece = code.subarray(at, at + window)
      yield* talk.send(piece)
      at += piece.byteLength
      window -= piece.byteLength
      endMs = after(talk.nowMs, windowMs)
      continue
    }
    // Whatever else comes meanwhile puts nothing off.
    const byte = yield* talk.byte(endMs)
    if (byte === null) return false
    if (byte === replCode.end) return yield* confirmEnd(talk)
    if (byte === grant) window += increment
  }
  yield* talk.send(replCode.end)
  return yield* talk.past(Uint8Array.of(replCode.end), after(talk.nowMs, windowMs))
}

function* confirmEnd(talk: Talk): Conversation<boolean> {
  yield* talk.send(replCode.end)
  return true
}
