import { createWakeup } from "@serialcast/primitives"

/** Whether somebody has the board for files, so that terminals rest. */
export class Transfers {
  readonly #changed = createWakeup()
  #running = 0
  #hadBoard = false

  get isRunning(): boolean {
    return this.#running > 0
  }

  /** Of those that are over, the last one had the board, which is at its prompt since; else it was refused. */
  get hadBoard(): boolean {
    return this.#hadBoard
  }

  begin(): void {
    this.#running += 1
    this.#changed.wake()
  }

  end(hadBoard: boolean): void {
    this.#running -= 1
    this.#hadBoard = hadBoard
    this.#changed.wake()
  }

  /** Calls `listener` when one begins or ends; answers the function that ends it. */
  onChange(listener: () => void): () => void {
    return this.#changed.onWake(listener)
  }

  async untilNone(signal: AbortSignal): Promise<void> {
    while (this.isRunning && !signal.aborted) await this.#changed.wait({ signal })
  }
}
