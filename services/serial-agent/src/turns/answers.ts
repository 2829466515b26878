import { AppError } from "@serialcast/contract"
import { BoundedMap } from "@serialcast/primitives"

// Calls that are over and may be repeated: beyond this many the oldest are forgotten, and a repeat of one of them would
// be done again. None is forgotten by time: a call may be repeated for as long as its time to live, up to a day.
const rememberedAnswers = 4_096

/** What calls came to, so that a repeat of one is answered and not done again. */
export class Answers<T> {
  readonly #pending = new Map<string, Promise<T>>()
  readonly #over = new BoundedMap<string, Promise<T>>(rememberedAnswers)

  find(key: string): Promise<T> | undefined {
    return this.#pending.get(key) ?? this.#over.get(key)
  }

  /** Remembers `answer`, which is never forgotten before it is there. */
  add(key: string, answer: Promise<T>): void {
    this.#pending.set(key, answer)
    const move = () => {
      this.#pending.delete(key)
      this.#over.set(key, answer)
    }
    // Whoever asked is told of a rejection; here it is an answer like another.
    answer.then(move, (error: unknown) => {
      lighten(error)
      move()
    })
  }
}

/**
 * Takes the call stack of a refusal, which nobody looks at: with it, one takes 1,079 bytes, without 169 (measured), and
 * thousands are remembered of each device. What nobody foresaw keeps it.
 */
function lighten(error: unknown): void {
  if (error instanceof AppError && error.code !== "internal") error.stack = String(error)
}
