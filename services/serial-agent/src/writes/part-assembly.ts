import { AppError, maxWriteBytes, type WriteRequest } from "@serialcast/contract"
import { type Clock, concatBytes, type Timer } from "@serialcast/primitives"
import { maxQueuedBytes, writeCostBytes } from "./write-queue.ts"

// A caller repeats a part every 2 s; one that is silent for this long has given up.
const abandonMs = 30_000

interface Assembly {
  readonly parts: number
  readonly received: Map<number, Uint8Array>
  bytes: number
  timer: Timer
}

/** Large writes on their way in, by id. Bounded in bytes over all of them; abandoned ones are dropped. */
export class PartAssembly {
  readonly #clock: Clock
  readonly #assemblies = new Map<string, Assembly>()
  /** Of all parts, with what each costs beside its bytes. */
  #costBytes = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The whole bytes when this was the last missing part, else null. Throws `too_large`, `overloaded`, `bad_request`. */
  add({ id, part = 0, parts = 1, bytes }: WriteRequest): Uint8Array | null {
    const assembly = this.#assemblies.get(id) ?? this.#begin(id, parts)
    if (assembly.parts !== parts) {
      throw new AppError("bad_request", `The parts of write ${id} do not agree on how many there are.`)
    }
    assembly.timer.cancel()
    assembly.timer = this.#abandonLater(id)
    if (assembly.received.has(part)) return null
    this.#checkRoom(id, assembly, bytes.byteLength)
    assembly.received.set(part, bytes)
    assembly.bytes += bytes.byteLength
    this.#costBytes += bytes.byteLength + writeCostBytes
    if (assembly.received.size < parts) return null
    this.#drop(id)
    const inOrder = [...assembly.received].sort(([a], [b]) => a - b)
    return concatBytes(inOrder.map(([, piece]) => piece))
  }

  #begin(id: string, parts: number): Assembly {
    const assembly = { parts, received: new Map(), bytes: 0, timer: this.#abandonLater(id) }
    this.#assemblies.set(id, assembly)
    return assembly
  }

  #checkRoom(id: string, assembly: Assembly, bytes: number): void {
    if (assembly.bytes + bytes > maxWriteBytes) {
      this.#drop(id)
      throw new AppError("too_large", `One write carries at most ${maxWriteBytes} bytes.`)
    }
    if (this.#costBytes + bytes + writeCostBytes > maxQueuedBytes) {
      this.#drop(id)
      throw new AppError("overloaded", `More than ${maxQueuedBytes} bytes of unfinished writes are held.`)
    }
  }

  #abandonLater(id: string): Timer {
    return this.#clock.startTimer(abandonMs, () => this.#drop(id))
  }

  #drop(id: string): void {
    const assembly = this.#assemblies.get(id)
    if (assembly === undefined) return
    assembly.timer.cancel()
    this.#costBytes -= assembly.bytes + assembly.received.size * writeCostBytes
    this.#assemblies.delete(id)
  }
}
