/** What a client's changes of DTR and RTS mean to a board with the auto-reset circuit of ESP boards. */
export type RecognisedReset = "reset" | "bootloader"

export interface DrivenLines {
  readonly dtr: boolean
  readonly rts: boolean
}

/**
 * Recognises resets in one client's changes of DTR and RTS, which come too far apart over a network to reach the board's
 * two transistors as they are: there DTR off with RTS on holds the chip in reset, and which line moves next says how it
 * is to start.
 *
 * ```
 *   opening ──purge, data──→ watching ──DTR off, RTS on──→ in reset ──RTS off──→ "reset", watching
 *                               ▲                             └──DTR on──→ "bootloader", swallowing
 *                               └──────────── both off ─────────────────────────────┘
 * ```
 *
 * Until the client purged or sent data it is still opening its port, where programs set both lines one after the other:
 * that resets nothing. Source: esptool's classic reset, hard reset and UnixTight sequences.
 */
export class ResetRecogniser {
  #state: "opening" | "watching" | "inReset" | "swallowing" = "opening"
  #lines: DrivenLines

  /** `lines` as the client finds them. */
  constructor(lines: DrivenLines) {
    this.#lines = lines
  }

  /** The client purged or sent data: its port is open. */
  opened(): void {
    if (this.#state === "opening") this.#state = "watching"
  }

  /** Takes the client's next change; answers what to play now, null: nothing. */
  change(change: Partial<DrivenLines>): RecognisedReset | null {
    const before = this.#lines
    const lines = { ...before, ...change }
    this.#lines = lines
    switch (this.#state) {
      case "opening":
        return null
      case "watching":
        if (holdsReset(lines) && !holdsReset(before)) this.#state = "inReset"
        return null
      case "inReset":
        return this.#leaveReset(lines)
      case "swallowing":
        if (!lines.dtr && !lines.rts) this.#state = "watching"
        return null
    }
  }

  #leaveReset(lines: DrivenLines): RecognisedReset | null {
    if (holdsReset(lines)) return null
    this.#state = lines.dtr ? "swallowing" : "watching"
    return lines.dtr ? "bootloader" : "reset"
  }
}

function holdsReset({ dtr, rts }: DrivenLines): boolean {
  return !dtr && rts
}
