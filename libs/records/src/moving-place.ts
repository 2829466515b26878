import type { Position } from "./position.ts"

/** A position that moves at each record, and makes an object of itself only when somebody asks for one. */
export class MovingPlace {
  #offset: number
  #mark: number
  #position: Position | null

  constructor(position: Position) {
    this.#offset = position.offset
    this.#mark = position.mark
    this.#position = position
  }

  get offset(): number {
    return this.#offset
  }

  get mark(): number {
    return this.#mark
  }

  /** The same object until it moves. */
  get position(): Position {
    this.#position ??= { offset: this.#offset, mark: this.#mark }
    return this.#position
  }

  moveTo(offset: number, mark: number): void {
    this.#offset = offset
    this.#mark = mark
    this.#position = null
  }
}
