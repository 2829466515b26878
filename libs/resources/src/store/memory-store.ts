import { type Clock, systemClock } from "@serialcast/primitives"
import { checkChange } from "../table/check-change.ts"
import type { Change, Outcome } from "../table/command.ts"
import { defaultMaxUri } from "../table/resource.ts"
import { ResourceTable } from "../table/resource-table.ts"
import type { ResourceStore } from "./resource-store.ts"

export interface MemoryStoreOptions {
  /** How many resources there may be. Default: 100. */
  readonly maxUri?: number
  readonly clock?: Pick<Clock, "nowMs">
  /** Uniform in [0, 1). */
  readonly random?: () => number
}

export interface MemoryStore extends ResourceStore {
  /** As `apply`, at once. Throws `bad_argument`. */
  applyNow(change: Change): Outcome
}

/** Resources that live as long as this process. */
export function createMemoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  const { maxUri = defaultMaxUri, clock = systemClock, random = Math.random } = options
  const table = new ResourceTable()
  let commands = 0
  const applyNow = (change: Change) => {
    checkChange(change)
    const seed = Math.floor(random() * 2 ** 32)
    return table.apply({ id: `${++commands}`, at: clock.nowMs(), seed, maxUri, change })
  }
  return {
    get size() {
      return table.size
    },
    get: (uri) => table.get(uri),
    list: (prefix) => table.list(prefix),
    applyNow,
    async apply(change, signal) {
      signal?.throwIfAborted()
      return applyNow(change)
    },
  }
}
