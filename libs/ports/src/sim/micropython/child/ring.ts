/** Cells that both threads of a board's process see. */
const cell = { woken: 0, head: 1, tail: 2, dropped: 3, sendable: 4, isReading: 5 } as const
const cellCount = 6
// Longer than any wait that is ended by a wake; nothing depends on it.
const forever = 0x7fffffff

/** Memory of a board's UART, which its two threads share: it can be posted. */
export interface UartMemory {
  readonly cells: Int32Array
  readonly bytes: Uint8Array
}

export function createUartMemory(ringBytes: number, sendableBytes: number): UartMemory {
  const cells = new Int32Array(new SharedArrayBuffer(cellCount * Int32Array.BYTES_PER_ELEMENT))
  cells[cell.sendable] = sendableBytes
  return { cells, bytes: new Uint8Array(new SharedArrayBuffer(ringBytes)) }
}

/**
 * The receive ring of a UART and the room for what is sent. One thread puts, as an interrupt handler does; the other one
 * takes, and waits.
 */
export class Ring {
  readonly #cells: Int32Array
  readonly #bytes: Uint8Array

  constructor({ cells, bytes }: UartMemory) {
    this.#cells = cells
    this.#bytes = bytes
  }

  get size(): number {
    return this.#bytes.byteLength
  }

  get unread(): number {
    return (Atomics.load(this.#cells, cell.head) - Atomics.load(this.#cells, cell.tail)) | 0
  }

  get dropped(): number {
    return Atomics.load(this.#cells, cell.dropped) >>> 0
  }

  get sendable(): number {
    return Atomics.load(this.#cells, cell.sendable)
  }

  /**
   * Whether somebody takes what comes. Then nothing is to be dropped, as a machine that is busy with something else is not
   * what a board would lose bytes for.
   */
  set isReading(isReading: boolean) {
    Atomics.store(this.#cells, cell.isReading, isReading ? 1 : 0)
  }

  /** Whether a byte that is put now would be dropped although somebody is about to make room. */
  get isToBeAwaited(): boolean {
    return this.unread >= this.size && Atomics.load(this.#cells, cell.isReading) === 1
  }

  /** Drops the byte, and counts it, when there is no room. */
  put(byte: number): void {
    if (this.unread >= this.size) {
      Atomics.add(this.#cells, cell.dropped, 1)
      return
    }
    const head = Atomics.load(this.#cells, cell.head)
    this.#bytes[(head >>> 0) % this.size] = byte
    Atomics.add(this.#cells, cell.head, 1)
  }

  take(): number | undefined {
    if (this.unread === 0) return undefined
    const tail = Atomics.load(this.#cells, cell.tail)
    const byte = this.#bytes[(tail >>> 0) % this.size]
    Atomics.add(this.#cells, cell.tail, 1)
    return byte
  }

  /** Adds to what may be sent, or takes from it. */
  allow(countBytes: number): void {
    Atomics.add(this.#cells, cell.sendable, countBytes)
  }

  /** Lets the other thread look again. */
  wake(): void {
    Atomics.add(this.#cells, cell.woken, 1)
    Atomics.notify(this.#cells, cell.woken)
  }

  /** Waits until `isOver`, or for `timeoutMs`. The thread takes interrupts of its inspector meanwhile. */
  wait(isOver: () => boolean, timeoutMs = forever): void {
    const endMs = performance.now() + timeoutMs
    for (;;) {
      const woken = Atomics.load(this.#cells, cell.woken)
      const leftMs = endMs - performance.now()
      if (leftMs <= 0 || isOver()) return
      Atomics.wait(this.#cells, cell.woken, woken, leftMs)
    }
  }
}
