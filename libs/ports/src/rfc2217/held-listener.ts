import { concatBytes } from "@serialcast/primitives"
import type { PortClosed, PortListener } from "../port-driver.ts"

// What a device sends at 3 Mbaud in the longest opening.
const maxHeldBytes = 4 * 1024 * 1024

/**
 * Keeps what comes while a port opens, which belongs after the opening. From the first byte beyond 4 MiB on
 * all are dropped, and told as an overrun. Of a port that is never opened the listener hears nothing.
 */
export class HeldListener implements PortListener {
  readonly #listener: PortListener
  #held: (Uint8Array | "overrun")[] = []
  /** With those that were dropped. */
  #heldBytes = 0
  #state: "opening" | "opened" | "passing" = "opening"

  constructor(listener: PortListener) {
    this.#listener = listener
  }

  /** What came so far and was not passed on. */
  get bytes(): Uint8Array {
    return concatBytes(this.#held.filter((held) => held !== "overrun"))
  }

  /** The port is open: whoever opened it learns that before anything of it. */
  opened(): void {
    this.#state = "opened"
    setImmediate(() => this.#pass())
  }

  onBytes(bytes: Uint8Array): void {
    if (this.#state === "passing") return this.#listener.onBytes(bytes)
    this.#heldBytes += bytes.byteLength
    if (this.#heldBytes > maxHeldBytes) return this.onOverrun()
    this.#held.push(bytes)
  }

  onOverrun(): void {
    if (this.#state === "passing") this.#listener.onOverrun()
    else if (this.#held.at(-1) !== "overrun") this.#held.push("overrun")
  }

  onClosed(closed: PortClosed): void {
    if (this.#state === "opening") return
    this.#pass()
    this.#listener.onClosed(closed)
  }

  #pass(): void {
    if (this.#state === "passing") return
    this.#state = "passing"
    for (const held of this.#held) {
      if (held === "overrun") this.#listener.onOverrun()
      else this.#listener.onBytes(held)
    }
    this.#held = []
  }
}
