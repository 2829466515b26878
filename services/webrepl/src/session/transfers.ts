import { createWakeup } from "@serialcast/primitives"

/** Whether somebody has the board for files, so that what is typed waits. */
export class Transfers {
  readonly #changed = createWakeup()
  #running = 0

  get isRunning(): boolean {
    return this.#running > 0
  }

  begin(): void {
    this.#running += 1
    this.#changed.wake()
  }

  end(): void {
    this.#running -= 1
    this.#changed.wake()
  }

  /** Calls `listener` when one begins or ends; answers the function that ends it. */
  onChange(listener: () => void): () => void {
    return this.#changed.onWake(listener)
  }
}
