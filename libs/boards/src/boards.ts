import { AppError } from "@serialcast/contract"
import { type Board, type BoardMemory, createBoardMemory } from "@serialcast/micropython"
import { BoundedMap, Gate } from "@serialcast/primitives"
import { type UseBoardOptions, useBoard } from "./use-board.ts"

const mostBoards = 1_024
/** Who waits for one board in this process; beyond it, somebody is refused. */
const mostWaiting = 32

interface KnownBoard {
  readonly memory: BoardMemory
  readonly turns: Gate
}

/**
 * The boards that one process uses, by their addresses: what it learnt of each, and one use after the other, so that its own
 * callers wait for each other instead of being refused as `leased`.
 */
export class Boards {
  readonly #known = new BoundedMap<string, KnownBoard>(mostBoards)

  /** As `useBoard`. Throws `overloaded` when too many wait, and `cancelled` as soon as who waits gives it up. */
  async use<T>(
    address: string,
    options: Omit<UseBoardOptions, "memory">,
    work: (board: Board) => Promise<T>,
  ): Promise<T> {
    const { memory, turns } = this.#of(address)
    return await turns.run(() => useBoard({ ...options, memory }, work), "", options.signal)
  }

  #of(address: string): KnownBoard {
    const known = this.#known.get(address) ?? {
      memory: createBoardMemory(),
      turns: new Gate({
        maxRunning: 1,
        maxWaiting: mostWaiting,
        refusal: () => new AppError("overloaded", `Too many wait for ${address}.`),
        cancellation: () => new AppError("cancelled", "Nobody waits for the board any more."),
      }),
    }
    this.#known.set(address, known)
    return known
  }
}
