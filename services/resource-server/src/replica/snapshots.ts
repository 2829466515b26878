import type { Fetch, Hello, Part } from "./messages.ts"
import { encodeLine, type ReplicaRecord, type ReplicaRemoval } from "./record.ts"

// Servers come one after the other; one that asks for what is no more here says hello again.
const maxSnapshots = 8
// What every broker takes, with room for one large resource.
const partChars = 60_000

interface Snapshot {
  readonly known: readonly (ReplicaRecord | ReplicaRemoval)[]
  readonly rev: number
}

/** What was known when others said hello, until they fetch it. Records do not change, so it costs little. */
export class Snapshots {
  readonly #byHello = new Map<string, Snapshot>()

  take({ by, id }: Hello, snapshot: Snapshot): void {
    this.#byHello.set(`${by} ${id}`, snapshot)
    for (const oldest of this.#byHello.keys()) {
      if (this.#byHello.size <= maxSnapshots) break
      this.#byHello.delete(oldest)
    }
  }

  /** The answer, part by part; at least one. */
  *answer({ by, id, from }: Fetch): Generator<Part> {
    const snapshot = this.#byHello.get(`${by} ${id}`)
    this.#byHello.delete(`${by} ${id}`)
    if (snapshot === undefined) return
    const groups = groupLines(snapshot.known.map(encodeLine))
    for (const [part, lines] of groups.entries())
      yield { kind: "part", id, from, part, parts: groups.length, rev: snapshot.rev, lines }
  }
}

function groupLines(lines: readonly string[]): string[][] {
  const groups: string[][] = [[]]
  let chars = 0
  for (const line of lines) {
    if (chars > 0 && chars + line.length > partChars) {
      groups.push([])
      chars = 0
    }
    groups.at(-1)?.push(line)
    chars += line.length
  }
  return groups
}
