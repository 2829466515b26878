import { type BoardMemory, createBoardMemory } from "@serialcast/micropython"
import { BoundedMap } from "@serialcast/primitives"

const most = 1_024

/** What one process learnt about boards, by their addresses. */
export class BoardMemories {
  readonly #memories = new BoundedMap<string, BoardMemory>(most)

  of(address: string): BoardMemory {
    const known = this.#memories.get(address) ?? createBoardMemory()
    this.#memories.set(address, known)
    return known
  }
}
