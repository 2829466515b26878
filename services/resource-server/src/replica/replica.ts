import { BoundedMap, type Clock, type MonotonicMs, msSince } from "@serialcast/primitives"
import {
  type Outcome,
  type Resource,
  ResourceTable,
  type Change as TableChange,
  uriOf,
} from "@serialcast/resources"
import type { Adoption, Change } from "./messages.ts"
import {
  encodeRecord,
  looksAlike,
  type ParsedRecord,
  parseRecord,
  type ReplicaRecord,
  type ReplicaRemoval,
} from "./record.ts"
import { Shards, shardOf } from "./shards.ts"
import { Suspects } from "./suspects.ts"

/** As long as an empty message on the topic of a resource that was made anew may be that of its removal before. */
const removalMs = 60_000
const maxRemovals = 10_000
const maxGone = 1_000
/** Twice what a configuration may allow. Those of devices, and what others say of their limits, count towards nothing else. */
const maxKept = 32_768
/** What comes with a greater number does not count on from there: so many changes never come, and there is one after each. */
const maxRev = 2 ** 52

interface Facts {
  /** Of the message that made it as it is. */
  readonly rev: number
  readonly bytes: number
}

/** What is to be published once a message was applied. */
export interface Applied {
  readonly outcome: Outcome
  /** Of these the broker is to hold something else now. */
  readonly uris: readonly string[]
  readonly shards: readonly string[]
}

/**
 * The resources as one of several servers knows them. All apply the same messages in the broker's order, so all come to the
 * same; the retained topics are where the result is kept, by whoever asked for the change. Without I/O: it is told what comes
 * in, and answers what is to be said.
 */
export class Replica {
  readonly #clock: Clock
  readonly #table = new ResourceTable()
  readonly #facts = new Map<string, Facts>()
  readonly #shards = new Shards()
  /** What was taken away last, by the number of its command: as much a part of what all have alike as the table. */
  readonly #gone = new BoundedMap<string, number>(maxGone)
  readonly #removals = new BoundedMap<string, MonotonicMs>(maxRemovals)
  readonly #suspectUris: Suspects
  readonly #suspectShards: Suspects
  /** What `known` answers, until something changes: anybody may say hello again and again. */
  #all: readonly (ReplicaRecord | ReplicaRemoval)[] | null = null
  #rev = 0
  #valueBytes = 0

  /** `random`: uniform in [0, 1). */
  constructor(clock: Clock, random: () => number = Math.random) {
    this.#clock = clock
    this.#suspectUris = new Suspects(clock, random)
    this.#suspectShards = new Suspects(clock, random)
  }

  get size(): number {
    return this.#table.size
  }

  /** The number of the last message that changed something. */
  get rev(): number {
    return this.#rev
  }

  /** Of all values together. */
  get valueBytes(): number {
    return this.#valueBytes
  }

  get(uri: string): Resource | undefined {
    return this.#table.get(uri)
  }

  list(prefix?: string): readonly Resource[] {
    return this.#table.list(prefix)
  }

  /** Takes over what another replica, or the broker, knows. */
  restore(known: Iterable<ReplicaRecord | ReplicaRemoval>, rev = 0): void {
    this.#all = null
    for (const one of known) {
      if ("gone" in one) {
        this.#gone.set(one.gone, one.rev)
        continue
      }
      const { resource, rev: its } = one
      this.#table.restore(resource)
      this.#keep(resource.uri, { rev: its, bytes: resource.value.byteLength })
      this.#rev = Math.max(this.#rev, countable(its))
    }
    this.#rev = Math.max(this.#rev, countable(rev))
  }

  /** All that another one has to know to go on alike. */
  known(): readonly (ReplicaRecord | ReplicaRemoval)[] {
    if (this.#all !== null) return this.#all
    const records = this.#table.list().map((resource) => {
      return { resource, rev: this.#facts.get(resource.uri)?.rev ?? 0 }
    })
    this.#all = [...records, ...this.#gone.entries().map(([gone, rev]) => ({ gone, rev }))]
    return this.#all
  }

  apply(message: Change | Adoption): Applied {
    return message.kind === "change" ? this.#change(message) : this.#adopt(message)
  }

  /** What the topic of a resource is to hold; empty: nothing. */
  wordOn(uri: string): string {
    const resource = this.#table.get(uri)
    return resource === undefined ? "" : encodeRecord({ resource, rev: this.#facts.get(uri)?.rev ?? 0 })
  }

  wordOnShard(shard: string): string {
    return this.#shards.encode(shard)
  }

  /**
   * Something came on the topic of a resource. `foreign`: none of the servers said so, it is to be adopted. `bad_json` is
   * thrown for what is no resource; nothing is changed by it.
   */
  heard(uri: string, text: string): "known" | "foreign" {
    const found = this.#table.get(uri)
    if (text === "") {
      if (found === undefined) return this.#known(uri)
      return this.#wasRemoved(uri) || this.#suspectUris.has(uri) ? this.#wrong(uri) : "foreign"
    }
    const said = this.#parse(uri, text)
    if (said.rev === null) return "foreign"
    const own = this.#facts.get(uri)?.rev ?? this.#gone.get(uri)
    if (found !== undefined && own === said.rev && looksAlike(found, said.resource)) return this.#known(uri)
    // One that was overtaken, by a change or a removal: it comes late, or its sender overwrote what came after it.
    if (own !== undefined && said.rev <= own && (said.rev < own || found === undefined))
      return this.#wrong(uri)
    return "foreign"
  }

  heardShard(shard: string, payload: Uint8Array): void {
    const isRight = new TextDecoder().decode(payload) === this.wordOnShard(shard)
    if (isRight) this.#suspectShards.clear(shard)
    else this.#suspectShards.wrong(shard)
  }

  /** What stands there is not to be adopted. */
  putRight(uri: string): void {
    this.#suspectUris.wrong(uri)
  }

  /** Of what was not heard it is not known whether the broker has it. */
  doubtUnless(wasHeard: (uri: string) => boolean): void {
    for (const { uri } of this.#table.list()) if (!wasHeard(uri)) this.#suspectUris.changed(uri)
  }

  /** What is to be said again, because whoever should have said it is gone, or somebody said something else. */
  overdue(): { readonly uris: readonly string[]; readonly shards: readonly string[] } {
    return { uris: this.#suspectUris.overdue(), shards: this.#suspectShards.overdue() }
  }

  #change({ command }: Change): Applied {
    const uri = uriOf(command.change)
    if (!this.#hasRoomFor(command.change)) return untouched({ kind: "refused", why: "full", uri })
    const outcome = this.#table.apply(command)
    if (outcome.kind === "refused") return untouched(outcome)
    if (outcome.removed !== undefined) return this.#removed(outcome, outcome.removed)
    return this.#made(outcome, outcome.resource)
  }

  #hasRoomFor(change: TableChange): boolean {
    const mayMake = change.kind === "addChild" || change.kind === "add" || change.kind === "tell"
    if (!mayMake || this.#table.size < maxKept) return true
    return change.kind !== "addChild" && this.#table.get(change.uri) !== undefined
  }

  #adopt({ uri, text, at, maxUri, id }: Adoption): Applied {
    const found = this.#table.get(uri)
    const apply = (change: TableChange, atMs = at): Outcome =>
      this.#table.apply({ id, at: atMs, maxUri, seed: 0, change })
    if (text === "") {
      const outcome = apply({ kind: "remove", uri, recursive: false, ifMatch: null })
      return outcome.kind === "refused" ? untouched(outcome) : this.#removed(outcome, [uri])
    }
    const { resource, rev } = parseRecord(text, uri, at)
    const { contentType, value, methods, childMethods } = resource
    // Of what a server wrote all is true; people write down no more than what they want.
    const [origin, atMs] =
      rev === null ? (["api", at] as const) : ([resource.origin, resource.changedAt] as const)
    // Each server that heard it says so; the first one counts.
    if (found !== undefined && looksAlike(found, resource))
      return untouched({ kind: "done", resource: found })
    if (rev !== null && rev < (this.#facts.get(uri)?.rev ?? this.#gone.get(uri) ?? 0)) {
      this.#suspectUris.wrong(uri)
      return untouched({ kind: "refused", why: "precondition", uri })
    }
    if (found === undefined) {
      const add = { kind: "add", uri, contentType, value, methods, childMethods, origin } as const
      const outcome: Outcome = this.#hasRoomFor(add)
        ? apply(add, atMs)
        : { kind: "refused", why: "full", uri }
      if (outcome.kind === "done") return this.#made(outcome, outcome.resource, rev ?? 0)
      // There is no room for it; who reads the topic is not to believe that there was.
      this.#suspectUris.changed(uri)
      return { outcome, uris: [uri], shards: [] }
    }
    apply({ kind: "put", uri, contentType, value, ifMatch: null, ifNoneMatch: null }, atMs)
    const outcome = apply({ kind: "methods", uri, methods, childMethods })
    return outcome.kind === "refused" ? untouched(outcome) : this.#made(outcome, outcome.resource, rev ?? 0)
  }

  #made(outcome: Outcome, { uri, value }: Resource, leastRev = 0): Applied {
    const isNew = !this.#facts.has(uri)
    this.#all = null
    this.#rev = Math.max(this.#rev + 1, countable(leastRev))
    this.#keep(uri, { rev: this.#rev, bytes: value.byteLength })
    this.#gone.delete(uri)
    this.#suspectUris.changed(uri)
    return { outcome, uris: [uri], shards: isNew ? this.#changedShards([uri]) : [] }
  }

  #removed(outcome: Outcome, uris: readonly string[]): Applied {
    this.#rev++
    this.#all = null
    for (const uri of uris) {
      this.#valueBytes -= this.#facts.get(uri)?.bytes ?? 0
      this.#facts.delete(uri)
      this.#shards.delete(uri)
      this.#gone.set(uri, this.#rev)
      this.#removals.set(uri, this.#clock.monotonicMs())
      this.#suspectUris.changed(uri)
    }
    return { outcome, uris, shards: this.#changedShards(uris) }
  }

  #keep(uri: string, facts: Facts): void {
    this.#valueBytes += facts.bytes - (this.#facts.get(uri)?.bytes ?? 0)
    this.#facts.set(uri, facts)
    this.#shards.add(uri)
  }

  #changedShards(uris: readonly string[]): string[] {
    const shards = [...new Set(uris.map(shardOf))]
    for (const shard of shards) this.#suspectShards.changed(shard)
    return shards
  }

  #parse(uri: string, text: string): ParsedRecord {
    try {
      return parseRecord(text, uri, this.#clock.nowMs())
    } catch (error) {
      if (this.#table.get(uri) !== undefined) this.#wrong(uri)
      throw error
    }
  }

  #known(uri: string): "known" {
    this.#suspectUris.clear(uri)
    return "known"
  }

  #wrong(uri: string): "known" {
    this.#suspectUris.wrong(uri)
    return "known"
  }

  #wasRemoved(uri: string): boolean {
    const removed = this.#removals.get(uri)
    return removed !== undefined && msSince(this.#clock, removed) < removalMs
  }
}

function countable(rev: number): number {
  return rev <= maxRev ? rev : 0
}

function untouched(outcome: Outcome): Applied {
  return { outcome, uris: [], shards: [] }
}
