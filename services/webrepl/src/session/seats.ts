/** Who has a place at a board. */
export interface Seated {
  /** Another client has taken its place. */
  displace(): void
}

export type Role = "holder" | "watcher"

export interface SeatsOptions {
  /** How many clients may watch while one has the board. */
  readonly watchers: number
  /** Who logs in takes the place of who has it. */
  readonly takeOver: boolean
}

/** The places at a board: one client has it, some more may watch. A place is taken by logging in. */
export class Seats {
  readonly #options: SeatsOptions
  readonly #watchers = new Set<Seated>()
  #holder: Seated | null = null

  constructor(options: SeatsOptions) {
    this.#options = options
  }

  /** Nobody who comes now gets a place. */
  get isFull(): boolean {
    const { watchers, takeOver } = this.#options
    return this.#holder !== null && !takeOver && this.#watchers.size >= watchers
  }

  get count(): number {
    return this.#watchers.size + (this.#holder === null ? 0 : 1)
  }

  /** null: there is no place. */
  take(client: Seated): Role | null {
    if (this.isFull) return null
    if (this.#holder === null || this.#options.takeOver) {
      const before = this.#holder
      this.#holder = client
      before?.displace()
      return "holder"
    }
    this.#watchers.add(client)
    return "watcher"
  }

  leave(client: Seated): void {
    this.#watchers.delete(client)
    if (this.#holder === client) this.#holder = null
  }
}
