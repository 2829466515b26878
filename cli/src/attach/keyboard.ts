import type { ReadStream } from "node:tty"
import { createWakeup } from "@serialcast/primitives"

/** What is typed, or pasted, ahead of a device that takes no more; then the terminal itself holds the rest. */
const maxHeldBytes = 64 * 1024

/** Typed bytes, up to the key that leaves, which is heard even while a device takes nothing. */
export class Keyboard {
  readonly #stdin: ReadStream
  readonly #escape: number | null
  readonly #onEscape: () => void
  readonly #news = createWakeup()
  #held: Uint8Array[] = []
  #heldBytes = 0
  #hasEnded = false

  /** `escape`: the byte that calls `onEscape`; it and what follows it are not typed. */
  constructor(stdin: ReadStream, { escape, onEscape }: { escape: number | null; onEscape: () => void }) {
    this.#stdin = stdin
    this.#escape = escape
    this.#onEscape = onEscape
  }

  /** Pieces of what is typed until the escape key, the end of the input, which is one too, or `signal`. */
  async *read(signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
    const take = (bytes: Uint8Array) => this.#take(bytes)
    const end = () => this.#leave()
    this.#stdin.on("data", take).once("end", end).once("error", end)
    try {
      while (!signal.aborted) {
        const held = this.#held
        this.#held = []
        for (const bytes of held) {
          yield bytes
          this.#heldBytes -= bytes.byteLength
        }
        this.#stdin.resume()
        if (this.#hasEnded && this.#held.length === 0) return
        if (this.#held.length === 0) await this.#news.wait({ signal })
      }
    } finally {
      this.#stdin.off("data", take).off("end", end).off("error", end).pause()
    }
  }

  #take(bytes: Uint8Array): void {
    if (this.#hasEnded) return
    const at = this.#escape === null ? -1 : bytes.indexOf(this.#escape)
    const typed = at < 0 ? bytes : bytes.subarray(0, at)
    if (typed.byteLength > 0) this.#held.push(typed)
    this.#heldBytes += typed.byteLength
    if (this.#heldBytes >= maxHeldBytes) this.#stdin.pause()
    this.#news.wake()
    if (at >= 0) this.#leave()
  }

  #leave(): void {
    this.#hasEnded = true
    this.#news.wake()
    this.#onEscape()
  }
}
