import { AppError } from "@serialcast/contract"
import {
  after,
  type Clock,
  createDeferred,
  type Deferred,
  type MonotonicMs,
  unlessAborted,
  withDeadline,
} from "@serialcast/primitives"
import type { Conversation } from "../repl/conversation.ts"
import { learnInput } from "../repl/learn-input.ts"
import { leaveRaw } from "../repl/leave-raw.ts"
import { endOfCode, interruptCode, nextOutput, startCode } from "../repl/run-code.ts"
import { type TakenOver, takeOver } from "../repl/take-over.ts"
import { Talk } from "../repl/talk.ts"
import type { BoardMemory } from "./board-memory.ts"
import type { Wire } from "./wire.ts"

/** How soon an abort is noticed. */
const sliceMs = 200
/** A wire that accepts nothing for so long is held by flow control, or dead. */
const writeMs = 20_000
const endMs = 5_000

export interface SessionOptions {
  readonly wire: Wire
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly memory: BoardMemory
  readonly said: Uint8Array
  readonly takeTimeoutMs: number
  readonly random: () => number
}

/** One at a time has the board. */
export interface Turn {
  /** Aborted when the board is given back: the turn is to be ended. */
  readonly signal: AbortSignal
  end(): void
}

/**
 * ```
 *   conversation ─→ what it wants ─→ wire ─→ board
 *                ←─ what came     ←─      ←─
 * ```
 *
 * Holds conversations with one board over its wire, one at a time, and knows whether it stands in raw mode: what ends
 * otherwise than it should leaves that unknown, and the next one begins with taking the board over.
 */
export class Session {
  readonly clock: Clock
  readonly memory: BoardMemory
  readonly #talk = new Talk()
  readonly #options: SessionOptions
  #isRaw = false
  /** It was given back: at its prompt, or running its program. */
  #isGiven = false
  #turn: { readonly controller: AbortController; readonly ended: Deferred<void> } | null = null

  constructor(options: SessionOptions) {
    this.#options = options
    this.clock = options.clock
    this.memory = options.memory
  }

  /** Does `work` with the board in raw mode. Throws `overloaded` when other work goes on. */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.begin()
    try {
      await this.ready()
      return await work()
    } finally {
      turn.end()
    }
  }

  /** Nothing else is begun until this turn ends. Throws `overloaded` when there is one already. */
  begin(): Turn {
    if (this.#turn !== null)
      throw new AppError(
        "overloaded",
        "The board is busy with what was asked of it before: wait for its end.",
      )
    const controller = new AbortController()
    const ended = createDeferred<void>()
    const turn = { controller, ended }
    this.#turn = turn
    return {
      signal: controller.signal,
      end: () => {
        if (this.#turn === turn) this.#turn = null
        ended.resolve()
      },
    }
  }

  /** Ends what goes on, and gives the board back at its prompt; nothing when it was given back before. */
  async leave(): Promise<void> {
    while (this.#turn !== null) {
      this.#turn.controller.abort()
      await this.#turn.ended.promise
    }
    if (this.#isGiven) return
    const turn = this.begin()
    try {
      // Whoever was told to stop still leaves the board in order.
      if (!this.#isRaw) await this.#takeOver([])
      await this.depart(leaveRaw, false)
    } finally {
      turn.end()
    }
  }

  /** Takes the board over again when it is not known to be in raw mode. */
  async ready(): Promise<void> {
    if (!this.#isRaw) await this.takeOver()
  }

  takeOver(): Promise<TakenOver> {
    return this.#takeOver(this.#signals())
  }

  async #takeOver(signals: readonly AbortSignal[]): Promise<TakenOver> {
    const { memory, said, takeTimeoutMs: timeoutMs, random } = this.#options
    const word = `s${Math.floor(random() * 100_000)}`
    this.#isGiven = false
    const options = { isBoard: memory.isBoard, said, word, timeoutMs }
    const taken = await this.#converse(takeOver(this.#talk, options), signals)
    memory.isBoard = true
    if (memory.hasRawPaste === null) await this.#converse(learnInput(this.#talk, memory), signals)
    this.#isRaw = true
    return taken
  }

  /** Sends code and makes it run; `output`, and `finish` or `stop`, must follow. */
  async start(code: string, signal?: AbortSignal): Promise<void> {
    this.#isRaw = false
    await this.converse(startCode(this.#talk, code, this.memory), signal)
  }

  /** The next piece of what runs; null at its end, `silent` at the deadline. */
  output(deadlineMs: MonotonicMs, signal?: AbortSignal): Promise<Uint8Array | null | "silent"> {
    return this.converse(nextOutput(this.#talk, deadlineMs), signal)
  }

  /** Behind the end of the output: the traceback, empty when there is none. */
  async finish(): Promise<string> {
    const stderr = await this.converse(endOfCode(this.#talk, this.deadline(endMs)))
    this.#isRaw = true
    return stderr
  }

  /** Interrupts what runs. Throws `board_busy` when it goes on. */
  async stop(): Promise<void> {
    // Also when the caller gave up: the board is not left as it is.
    this.#isRaw = await this.#converse(interruptCode(this.#talk))
    if (!this.#isRaw) throw new AppError("board_busy", "Ctrl-C does not end what runs on the board.")
  }

  /** A part of a conversation, with what all of them share. */
  say<T>(part: (talk: Talk) => Conversation<T>, signal?: AbortSignal): Promise<T> {
    return this.converse(part(this.#talk), signal)
  }

  /** As `say`, whoever gave up: what would leave the board in disorder is brought to its end. */
  sayAnyway<T>(part: (talk: Talk) => Conversation<T>): Promise<T> {
    return this.#converse(part(this.#talk))
  }

  /** Throws `cancelled` when `signal`, or the session's, is aborted. */
  checkAborted(signal?: AbortSignal): void {
    if (this.#signals(signal).some(({ aborted }) => aborted)) throw cancelled()
  }

  /** What `work` comes to, or `cancelled` as soon as `signal`, or the session's, is aborted; the work goes on then. */
  async unlessAborted<T>(work: Promise<T>, signal?: AbortSignal): Promise<T> {
    let waited = work
    // No signal is made of them: each would be kept for as long as those live, which is longer than any piece of a file.
    for (const one of this.#signals(signal))
      waited = unlessAborted<T, never>(waited, one, () => Promise.reject(cancelled()))
    return await waited
  }

  /** What follows leads out of raw mode. */
  async depart(part: (talk: Talk) => Conversation<void>, isRawAfter: boolean): Promise<void> {
    this.#isRaw = false
    await this.#converse(part(this.#talk))
    this.#isRaw = isRawAfter
    this.#isGiven = !isRawAfter
  }

  deadline(ms: number): MonotonicMs {
    return after(this.clock.monotonicMs(), ms)
  }

  /** Throws `cancelled` when `signal`, or the session's, is aborted. */
  converse<T>(conversation: Conversation<T>, signal?: AbortSignal): Promise<T> {
    return this.#converse(conversation, this.#signals(signal))
  }

  #signals(signal?: AbortSignal): readonly AbortSignal[] {
    return [this.#options.signal, this.#turn?.controller.signal, signal].filter((one) => one !== undefined)
  }

  async #converse<T>(conversation: Conversation<T>, signals: readonly AbortSignal[] = []): Promise<T> {
    const { wire } = this.#options
    let turn = conversation.next()
    while (!turn.done) {
      if (signals.some(({ aborted }) => aborted)) throw cancelled()
      const { send, waitMs } = turn.value
      if (send !== undefined && send.byteLength > 0) await this.#write(send)
      const bytes = waitMs > 0 ? await wire.read(Math.min(waitMs, sliceMs)) : null
      turn = conversation.next({ bytes, nowMs: this.clock.monotonicMs() })
    }
    return turn.value
  }

  async #write(bytes: Uint8Array): Promise<void> {
    await withDeadline(this.#options.wire.write(bytes), {
      clock: this.clock,
      timeoutMs: writeMs,
      error: () => new AppError("board_timeout", `The device took nothing for ${writeMs / 1000} s.`),
    })
  }
}

function cancelled(): AppError {
  return new AppError("cancelled", "What was asked of the board was given up.")
}
