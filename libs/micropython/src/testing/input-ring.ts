/** The memory of an input ring, for the threads at both of its ends. */
export interface SharedRing {
  readonly control: SharedArrayBuffer
  readonly bytes: SharedArrayBuffer
}

const place = {
  head: 0,
  tail: 1,
  dropped: 2,
  interrupts: 3,
  isInterruptible: 4,
  changes: 5,
  unheard: 6,
  isWaiting: 7,
} as const

export function createSharedRing(sizeBytes: number): SharedRing {
  return {
    control: new SharedArrayBuffer(4 * Object.keys(place).length),
    // One place stays empty, as in the ring of a UART.
    bytes: new SharedArrayBuffer(sizeBytes + 1),
  }
}

const mostUnheard = 4_096

/** The input of a board's UART: what comes when it is full is dropped and counted, and 03 interrupts what runs. */
export class InputRing {
  readonly #control: Int32Array
  readonly #bytes: Uint8Array

  constructor({ control, bytes }: SharedRing) {
    this.#control = new Int32Array(control)
    this.#bytes = new Uint8Array(bytes)
  }

  get droppedBytes(): number {
    return Atomics.load(this.#control, place.dropped)
  }

  /** The board has read all, waits for more, and all that it said was heard. */
  get isIdle(): boolean {
    const at = (name: keyof typeof place) => Atomics.load(this.#control, place[name])
    return at("isWaiting") === 1 && at("head") === at("tail") && at("interrupts") === 0 && at("unheard") === 0
  }

  /** The board has said so much: it waits while the other thread has not heard more than a UART would hold back. */
  said(bytes: number): void {
    Atomics.add(this.#control, place.unheard, bytes)
    for (;;) {
      const unheard = Atomics.load(this.#control, place.unheard)
      if (unheard <= mostUnheard) return
      Atomics.wait(this.#control, place.unheard, unheard)
    }
  }

  heard(bytes: number): void {
    Atomics.sub(this.#control, place.unheard, bytes)
    Atomics.notify(this.#control, place.unheard)
  }

  /** A byte arrives. */
  put(byte: number): void {
    if (byte === 0x03 && Atomics.load(this.#control, place.isInterruptible) === 1) {
      Atomics.add(this.#control, place.interrupts, 1)
    } else {
      const head = Atomics.load(this.#control, place.head)
      const next = (head + 1) % this.#bytes.length
      if (next === Atomics.load(this.#control, place.tail)) Atomics.add(this.#control, place.dropped, 1)
      else {
        this.#bytes[head] = byte
        Atomics.store(this.#control, place.head, next)
      }
    }
    Atomics.add(this.#control, place.changes, 1)
    Atomics.notify(this.#control, place.changes)
  }

  take(): number | null {
    const tail = Atomics.load(this.#control, place.tail)
    if (tail === Atomics.load(this.#control, place.head)) return null
    const byte = this.#bytes[tail] ?? 0
    Atomics.store(this.#control, place.tail, (tail + 1) % this.#bytes.length)
    return byte
  }

  /** The next byte, which is waited for; null: an interrupt came instead. */
  wait(): number | null {
    for (;;) {
      const changes = Atomics.load(this.#control, place.changes)
      if (this.takeInterrupt()) return null
      const byte = this.take()
      if (byte !== null) return byte
      Atomics.store(this.#control, place.isWaiting, 1)
      Atomics.wait(this.#control, place.changes, changes)
      Atomics.store(this.#control, place.isWaiting, 0)
    }
  }

  takeInterrupt(): boolean {
    return Atomics.exchange(this.#control, place.interrupts, 0) > 0
  }

  setInterruptible(isInterruptible: boolean): void {
    Atomics.store(this.#control, place.isInterruptible, isInterruptible ? 1 : 0)
    if (!isInterruptible) Atomics.store(this.#control, place.interrupts, 0)
  }
}
