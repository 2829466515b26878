import type { Bytes } from "./byte-store.ts"

/** Bytes of a stream that lie somewhere already, in one piece: nothing is copied. They must not change any more. */
export class GivenBytes implements Bytes {
  readonly #bytes: Uint8Array
  readonly #start: number

  constructor(bytes: Uint8Array, start: number) {
    this.#bytes = bytes
    this.#start = start
  }

  append(): void {
    // It is there.
  }

  copy(from: number, to: number): Uint8Array {
    return this.#bytes.subarray(from - this.#start, to - this.#start)
  }

  dropBefore(): void {
    // They are let go of together.
  }
}
