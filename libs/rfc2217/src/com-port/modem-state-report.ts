import { encodeModemChanges } from "./modem-state.ts"

/** RFC 2217, section 3, SET-MODEMSTATE-MASK. */
const initialMask = 255

/**
 * Says when a client is told the modem state.
 *
 * RFC 2217 asks for a notification whenever the masked state is not 0, which would never end while a line is on. Like
 * ser2net and pySerial, a state is told when a change passes the mask or the masked lines differ from those told last;
 * the first one of a session is told in any case, unless the client wants none.
 */
export class ModemStateReport {
  #mask = initialMask
  /** null until they are known. */
  #lines: number | null = null
  /** Changes that were not told, so that a pulse during a suspension is not lost. */
  #changes = 0
  /** The lines as the client knows them, those that no mask let through as off; null before the first notification. */
  #told: number | null = null

  setMask(mask: number): void {
    this.#mask = mask
  }

  /** A session begins: whatever was told and asked for before, the client knows nothing. */
  start(): void {
    this.#mask = initialMask
    this.#told = null
    this.#changes = 0
  }

  update(lines: number): void {
    this.#changes |= encodeModemChanges(this.#lines ?? lines, lines)
    this.#lines = lines
  }

  /** The bits to notify now; null when nothing is due. */
  takeDue(): number | null {
    const isDue = this.#told === null ? this.#mask !== 0 : this.#hasNews(this.#told)
    return isDue && this.#lines !== null ? this.#take(this.#mask) : null
  }

  /** The bits for a client that asks, which wants the lines as they are whatever its mask. */
  takeAnswer(): number {
    return this.#take(255)
  }

  #take(mask: number): number {
    const lines = this.#lines ?? 0
    if (this.#told === null) this.#changes = 0
    const bits = (lines | this.#changes) & mask
    this.#told = ((this.#told ?? 0) & ~mask) | (lines & mask)
    this.#changes &= ~mask
    return bits
  }

  #hasNews(told: number): boolean {
    return ((this.#changes | ((this.#lines ?? told) ^ told)) & this.#mask) !== 0
  }
}
