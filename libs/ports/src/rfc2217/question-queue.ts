import { createDeferred, type Deferred } from "@serialcast/primitives"
import type { ComPortAnswer } from "@serialcast/rfc2217"

/** Requests that were sent together, and what they are answered. */
export interface Question {
  readonly answers: readonly ComPortAnswer[]
  /** Resolves with the last of the answers. */
  readonly over: Promise<void>
}

interface Waiting extends Question {
  readonly answers: ComPortAnswer[]
  readonly isOver: (answers: readonly ComPortAnswer[]) => boolean
  readonly ended: Deferred<void>
}

/** Which answer of a device server belongs to what: servers answer in the order in which they were asked. */
export class QuestionQueue {
  #waiting: Waiting[] = []

  /** Questions that are not over, those included that nobody waits for any more: their answers still come. */
  get size(): number {
    return this.#waiting.length
  }

  /** The next question; over when `isOver` says so of its answers. */
  add(isOver: Waiting["isOver"]): Question {
    const ended = createDeferred<void>()
    // Whoever asked may have given up before the end of the connection.
    ended.promise.catch(() => undefined)
    const waiting = { answers: [], isOver, ended, over: ended.promise }
    this.#waiting.push(waiting)
    return waiting
  }

  /** An answer that comes when nothing was asked is of no use. */
  take(answer: ComPortAnswer): void {
    const [first] = this.#waiting
    if (first === undefined) return
    first.answers.push(answer)
    if (!first.isOver(first.answers)) return
    this.#waiting.shift()
    first.ended.resolve()
  }

  /** No more answers are expected to this one. */
  drop(question: Question): void {
    this.#waiting = this.#waiting.filter((waiting) => waiting !== question)
  }

  /** No answers will come any more. */
  end(error: Error): void {
    for (const { ended } of this.#waiting) ended.reject(error)
    this.#waiting = []
  }
}
