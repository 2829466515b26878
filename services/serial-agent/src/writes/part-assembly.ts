import { AppError, maxWriteBytes, type WriteRequest } from "@serialcast/contract"
import { type Clock, concatBytes, type Timer } from "@serialcast/primitives"
import { ClientShares } from "../turns/client-shares.ts"
import { maxQueuedBytes, turnCostBytes } from "../turns/turn-queue.ts"

// A caller repeats a part every 2 s; one that is silent for this long has given up.
const abandonMs = 30_000

interface Assembly extends UnfinishedWrite {
  readonly parts: number
  readonly received: Map<number, Uint8Array>
  bytes: number
  timer: Timer
}

/** A write of which only parts came. */
export interface UnfinishedWrite {
  readonly client: string
  readonly id: string
  readonly by: string
}

/** Large writes on their way in, by client and id. Bounded in bytes over all of them; abandoned ones are dropped. */
export class PartAssembly {
  readonly #clock: Clock
  readonly #assemblies = new Map<string, Assembly>()
  /** In bytes, with what each part costs beside its own. */
  readonly #held = new ClientShares(maxQueuedBytes)

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The whole bytes when this was the last missing part, else null. Throws `too_large`, `overloaded`, `bad_request`. */
  add(client: string, request: WriteRequest): Uint8Array | null {
    const { id, part = 0, parts = 1, bytes } = request
    const key = keyOf({ client, id })
    const assembly = this.#assemblies.get(key) ?? this.#begin(client, request)
    if (assembly.parts !== parts) {
      throw new AppError("bad_request", `The parts of write ${id} do not agree on how many there are.`)
    }
    assembly.timer.cancel()
    assembly.timer = this.#abandonLater(key)
    if (assembly.received.has(part)) return null
    this.#checkRoom(key, assembly, bytes.byteLength)
    // A copy: a view of what came from the network would keep all that came with it in memory.
    assembly.received.set(part, bytes.slice())
    assembly.bytes += bytes.byteLength
    this.#held.take(client, bytes.byteLength + turnCostBytes)
    if (assembly.received.size < parts) return null
    this.#drop(key)
    const inOrder = [...assembly.received].sort(([a], [b]) => a - b)
    return concatBytes(inOrder.map(([, piece]) => piece))
  }

  /** Drops a write that is unfinished, and answers what it was; undefined when there is none. */
  drop(client: string, id: string): UnfinishedWrite | undefined {
    const key = keyOf({ client, id })
    const assembly = this.#assemblies.get(key)
    this.#drop(key)
    return assembly && { client, id, by: assembly.by }
  }

  /** Drops all that is unfinished, and answers what it was. */
  clear(): UnfinishedWrite[] {
    const unfinished = [...this.#assemblies.values()].map(({ client, id, by }) => ({ client, id, by }))
    for (const write of unfinished) this.#drop(keyOf(write))
    return unfinished
  }

  #begin(client: string, { id, by, parts = 1 }: WriteRequest): Assembly {
    const key = keyOf({ client, id })
    const timer = this.#abandonLater(key)
    const assembly = { client, id, by, parts, received: new Map(), bytes: 0, timer }
    this.#assemblies.set(key, assembly)
    return assembly
  }

  #checkRoom(key: string, assembly: Assembly, bytes: number): void {
    if (assembly.bytes + bytes > maxWriteBytes) {
      this.#drop(key)
      throw new AppError("too_large", `One write carries at most ${maxWriteBytes} bytes.`)
    }
    if (!this.#held.hasRoom(assembly.client, bytes + turnCostBytes)) {
      this.#drop(key)
      const message = `No room for more: ${maxQueuedBytes} bytes of unfinished writes are held, of one client three quarters of them.`
      throw new AppError("overloaded", message)
    }
  }

  #abandonLater(key: string): Timer {
    return this.#clock.startTimer(abandonMs, () => this.#drop(key))
  }

  #drop(key: string): void {
    const assembly = this.#assemblies.get(key)
    if (assembly === undefined) return
    assembly.timer.cancel()
    this.#held.give(assembly.client, assembly.bytes + assembly.received.size * turnCostBytes)
    this.#assemblies.delete(key)
  }
}

/** Unambiguous, because a client's name has no slash. */
function keyOf({ client, id }: Pick<UnfinishedWrite, "client" | "id">): string {
  return `${client}/${id}`
}
