import { AppError } from "@serialcast/contract"
import { after, earliest, type MonotonicMs } from "@serialcast/primitives"
import type { Found } from "../board/board.ts"
import type { Conversation } from "./conversation.ts"
import { HeardText } from "./heard-text.ts"
import { replCode } from "./repl-codes.ts"
import type { Talk } from "./talk.ts"

export interface TakeOverOptions {
  /** The device is known to be a board: when it does not answer it is busy. */
  readonly isBoard: boolean
  /** What it said lately, which may tell that it is a board. */
  readonly said: Uint8Array
  /** A word that nobody said before; what follows on it is an answer to what was sent now. 6 characters at most. */
  readonly word: string
  readonly timeoutMs: number
}

export interface TakenOver {
  readonly found: Found
  readonly version: string | null
  readonly implementation: string | null
}

const { raw, interrupt, carriageReturn, end, friendly } = replCode
const banner = "raw REPL; CTRL-B to exit\r\n>"
const prompt = ">>> "
/** How what ran in raw mode ends. */
const rawEnd = "\x04>"
const encoder = new TextEncoder()

/** All that a board says that was switched on, or plugged in, a moment ago, and runs nothing. */
const justStarted = /^\s*(?:Adafruit )?(?:Micro|Circuit)Python [^\n]*\n[^\n]*\n>>> /

const greetMs = 400

/**
 * What is sent, and how long an answer is waited for. A prompt answers at once, a program when it looks, which is later. The
 * return ends an `input()` of a program that holds Ctrl-C back; it is not sent first, because it would run the line that
 * somebody has begun.
 */
const knocks = [
  { send: [interrupt], answers: [prompt, rawEnd], waitMs: 400 },
  { send: [raw], answers: [banner], waitMs: 600 },
  { send: [carriageReturn, interrupt], answers: [prompt, rawEnd], waitMs: 800 },
  { send: [raw], answers: [banner], waitMs: 800 },
] as const

/**
 * Gets the board into raw mode, whatever it is doing, and makes sure that all that it says from then on is an answer.
 * A stranger gets six bytes: 01 03 01 0d 03 01. Throws `not_micropython` or `board_busy` after `timeoutMs`.
 *
 * The first Ctrl-A tells what was there: a prompt answers with the banner behind a line end, raw mode without one, a line
 * that was begun moves its cursor, a program keeps it in its input, from where it is read when the program was ended.
 */
export function* takeOver(talk: Talk, options: TakeOverOptions): Conversation<TakenOver> {
  talk.forget()
  const heard = new HeardText(options.isBoard)
  heard.add(options.said)
  const endMs = yield* talk.deadline(options.timeoutMs)
  let found = yield* greet(talk, heard, endMs)
  for (let isFirst = true; ; isFirst = false) {
    const told = found === null ? null : yield* askVersion(talk, heard, options.word, endMs)
    if (told !== null && found !== null) return { found, ...told }
    // A stranger is sent nothing more, but may be a board that is slow.
    if (!isFirst && !heard.isBoard) yield* hear(talk, heard, () => heard.isBoard, endMs)
    if (talk.nowMs >= endMs) return yield* giveUp(talk, heard)
    const isRaw = yield* knock(talk, heard, endMs)
    if (isRaw) found ??= isFirst ? whatWas(heard.text) : "program"
  }
}

/** Asks for raw mode without an interrupt; null: no answer. */
function* greet(talk: Talk, heard: HeardText, endMs: MonotonicMs): Conversation<Found | null> {
  heard.forget()
  yield* talk.send(raw)
  const isBanner = () => heard.text.includes(banner)
  if (!(yield* hear(talk, heard, isBanner, earliest(endMs, after(talk.nowMs, greetMs))))) return null
  return whatGreets(heard.text)
}

/** Interrupts and asks for raw mode; true: it is there. */
function* knock(talk: Talk, heard: HeardText, endMs: MonotonicMs): Conversation<boolean> {
  heard.forget()
  for (const { send, answers, waitMs } of knocks) {
    yield* talk.send(Uint8Array.from(send))
    const isAnswered = () => answers.some((answer) => heard.text.includes(answer))
    yield* hear(talk, heard, isAnswered, earliest(endMs, after(talk.nowMs, waitMs)))
    if (heard.text.includes(banner)) return true
  }
  return false
}

/** By what it said to the first interrupt. */
function whatWas(text: string): Found {
  if (text.includes("KeyboardInterrupt") || text.includes(rawEnd)) return "program"
  if (justStarted.test(text)) return "prompt"
  // Whatever a program printed at its end: a line has nothing behind its own.
  if (/^[^\n]*\r\n>>> /.test(text)) return "line"
  return text.includes(prompt) ? "program" : whatGreets(text)
}

/** By the banner: a prompt is left with a line end before it. */
function whatGreets(text: string): Found {
  return text.includes(`\r\n${banner}`) ? "prompt" : "raw"
}

/** Listens until `isEnough`; false: it is not when the time is over. */
function* hear(
  talk: Talk,
  heard: HeardText,
  isEnough: () => boolean,
  endMs: MonotonicMs,
): Conversation<boolean> {
  for (;;) {
    const bytes = yield* talk.some(endMs)
    if (bytes === null) return false
    heard.add(bytes)
    if (isEnough()) return true
  }
}

/**
 * One statement of less than 64 bytes, which is what the smallest boards take: all that came before its word was said
 * before. null: no answer.
 */
function* askVersion(
  talk: Talk,
  heard: HeardText,
  word: string,
  endMs: MonotonicMs,
): Conversation<Omit<TakenOver, "found"> | null> {
  heard.forget()
  const code = `print('${word}');import sys;print(sys.implementation)`
  yield* talk.send(encoder.encode(code), end)
  const answer = new RegExp(`${word}\\r?\\n([^\\x04]*)\\x04[^\\x04]*\\x04>`)
  const untilMs = earliest(endMs, after(talk.nowMs, 1_500))
  for (;;) {
    const bytes = yield* talk.some(untilMs)
    if (bytes === null) return null
    heard.add(bytes)
    const [, told] = answer.exec(heard.text) ?? []
    if (told !== undefined) return parseImplementation(told)
  }
}

/** As in `(name='micropython', version=(1, 27, 0, ''), …)`, and without the names on small boards. */
function parseImplementation(text: string): Omit<TakenOver, "found"> {
  const [, name] = /'(\w+)'/.exec(text) ?? []
  const [, major, minor, micro] = /\((\d+), (\d+), (\d+)/.exec(text) ?? []
  return {
    implementation: name ?? null,
    version: major === undefined ? null : `${major}.${minor}.${micro}`,
  }
}

function* giveUp(talk: Talk, heard: HeardText): Conversation<never> {
  if (!heard.isBoard) {
    throw new AppError(
      "not_micropython",
      "The device gave no MicroPython prompt; it was sent 01 03 01 0d 03 01 and nothing else. " +
        "It may be something else, have another baud rate, or run a program that takes no Ctrl-C.",
    )
  }
  // What is in its input may be read when its program is over, and would leave it in raw mode.
  yield* talk.send(friendly)
  throw new AppError(
    "board_busy",
    "The board runs a program that Ctrl-C does not end, or is busy for longer than was waited for.",
  )
}
