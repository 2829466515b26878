import { freeChildUri } from "./child-uri.ts"
import type {
  Add,
  AddChild,
  Change,
  Command,
  Outcome,
  Put,
  RefusedWhy,
  Remove,
  SetMethods,
  TagCondition,
  Tell,
} from "./command.ts"
import { entityTagOf } from "./entity-tag-of.ts"
import { DELETE, defaultChildMethods, maxSerial, POST, PUT, type Resource } from "./resource.ts"

/**
 * What resources there are, in the order of insertion, and what commands do to them. The outcome of a command depends on it
 * and on the records alone: neither on a clock, nor on chance, nor on what was here before. So tables that apply the same
 * commands in the same order stay the same, one that was made of the records of another too. Commands are to be well formed:
 * `checkChange`, `parseCommand`.
 */
export class ResourceTable {
  #byUri = new Map<string, Resource>()
  /** Is the map in the order of `isAfter`? Records that come from elsewhere come in any order. */
  #isInOrder = true
  #lastSerial = 0
  #counted = 0

  /** All of them. */
  get size(): number {
    return this.#byUri.size
  }

  /** Those that `maxUri` is about: all but those of devices. */
  get counted(): number {
    return this.#counted
  }

  get(uri: string): Resource | undefined {
    return this.#byUri.get(uri)
  }

  /** Those whose uri begins with the text `prefix`, in the order of insertion: `/res` finds `/resource1` too, as the original. */
  list(prefix = ""): Resource[] {
    return this.#inOrder().filter(({ uri }) => uri.startsWith(prefix))
  }

  apply(command: Command): Outcome {
    const { change } = command
    switch (change.kind) {
      case "add":
        return this.#add(change, command)
      case "addChild":
        return this.#addChild(change, command)
      case "put":
        return this.#put(change, command)
      case "methods":
        return this.#setMethods(change)
      case "remove":
        return this.#remove(change)
      case "tell":
        return this.#tell(change, command)
    }
  }

  /** Puts a record as it is, in place of one with its uri: what another table holds, from wherever it was kept. */
  restore(resource: Resource): void {
    const found = this.#byUri.get(resource.uri)
    if (found?.serial === resource.serial && found.origin === resource.origin) {
      this.#byUri.set(resource.uri, resource)
      return
    }
    this.#forget(resource.uri)
    this.#place(resource)
  }

  /** Takes a record out, without a word of a command; false: it is not there. */
  forget(uri: string): boolean {
    return this.#forget(uri) !== undefined
  }

  #add(add: Add, { at, maxUri }: Command): Outcome {
    const { uri, contentType, value, methods, childMethods = defaultChildMethods, origin } = add
    if (this.#byUri.has(uri)) return refused("exists", uri)
    if (origin !== "device" && this.#counted >= maxUri) return refused("full", uri)
    return this.#insert({ uri, contentType, value, methods, childMethods, origin }, at)
  }

  #addChild({ parent: uri, contentType, value, asMethod }: AddChild, command: Command): Outcome {
    const parent = this.#byUri.get(uri)
    if (parent === undefined) return refused("unknown", uri)
    if (asMethod === true && (parent.methods & POST) === 0) return refused("method", uri)
    if (this.#counted >= command.maxUri) return refused("full", uri)
    const childUri = freeChildUri(uri, command.seed, (taken) => this.#byUri.has(taken))
    if (childUri === undefined) return refused("full", uri)
    const { childMethods } = parent
    const type = contentType ?? parent.contentType
    return this.#insert(
      { uri: childUri, contentType: type, value, methods: childMethods, childMethods, origin: "post" },
      command.at,
    )
  }

  #put({ uri, contentType, value, ifMatch, ifNoneMatch, asMethod }: Put, { at }: Command): Outcome {
    const found = this.#byUri.get(uri)
    if (found === undefined) return refused("unknown", uri)
    if (asMethod === true && (found.methods & PUT) === 0) return refused("method", uri)
    // RFC 9110 §13.2.2: If-Match comes first.
    if (!matches(ifMatch, found.etag) || (ifNoneMatch !== null && matches(ifNoneMatch, found.etag))) {
      return refused("precondition", uri)
    }
    const type = contentType ?? found.contentType
    return this.#replace({
      ...found,
      contentType: type,
      value,
      etag: entityTagOf(type, value),
      changedAt: at,
    })
  }

  #setMethods({ uri, methods, childMethods }: SetMethods): Outcome {
    const found = this.#byUri.get(uri)
    if (found === undefined) return refused("unknown", uri)
    return this.#replace({ ...found, methods, childMethods: childMethods ?? found.childMethods })
  }

  #remove({ uri, recursive, ifMatch, asMethod }: Remove): Outcome {
    const resource = this.#byUri.get(uri)
    if (resource === undefined) return refused("unknown", uri)
    const going = recursive ? this.#withAllBelow(uri) : [resource]
    const kept = asMethod === true ? going.filter(({ methods }) => (methods & DELETE) === 0) : []
    // What is asked for is told before what is in its way.
    if (kept.includes(resource)) return refused("method", uri)
    if (!matches(ifMatch, resource.etag)) return refused("precondition", uri)
    if (kept[0] !== undefined) return refused("method", kept[0].uri)
    for (const gone of going) this.#forget(gone.uri)
    return { kind: "done", resource, removed: going.map((gone) => gone.uri) }
  }

  #tell(tell: Tell, { at }: Command): Outcome {
    const { uri, contentType, value, methods, told } = tell
    const found = this.#byUri.get(uri)
    if (found?.told?.of === told.of && found.told.at >= told.at) return refused("precondition", uri)
    if (value === null) return this.#untell(uri)
    if (found !== undefined) {
      const own = found.origin === "device" ? { methods } : {}
      const etag = entityTagOf(contentType, value)
      return this.#replace({ ...found, ...own, contentType, value, etag, changedAt: at, told })
    }
    if (this.#ofDevicesBelow(tell.below) >= tell.most) return refused("full", uri)
    const childMethods = defaultChildMethods
    return this.#insert({ uri, contentType, value, methods, childMethods, origin: "device", told }, at)
  }

  #untell(uri: string): Outcome {
    const resource = this.#byUri.get(uri)
    if (resource === undefined) return refused("unknown", uri)
    if (resource.origin !== "device") return refused("method", uri)
    this.#forget(uri)
    return { kind: "done", resource, removed: [uri] }
  }

  #ofDevicesBelow(uri: string): number {
    return this.#withAllBelow(uri).filter(({ origin }) => origin === "device").length
  }

  #withAllBelow(uri: string): Resource[] {
    const below = uri === "/" ? "/" : `${uri}/`
    return this.list(uri).filter((found) => found.uri === uri || found.uri.startsWith(below))
  }

  #insert(fields: Omit<Resource, "etag" | "serial" | "changedAt">, at: number): Outcome {
    const etag = entityTagOf(fields.contentType, fields.value)
    const serial = Math.min(this.#lastSerial + 1, maxSerial)
    const resource = Object.freeze({ ...fields, etag, serial, changedAt: at })
    this.#place(resource)
    return { kind: "done", resource }
  }

  /** A record with the same uri and serial: it stays where it is in the order. */
  #replace(resource: Resource): Outcome {
    this.#byUri.set(resource.uri, Object.freeze(resource))
    return { kind: "done", resource }
  }

  #place(resource: Resource): void {
    this.#byUri.set(resource.uri, resource)
    if (resource.origin !== "device") this.#counted++
    if (resource.serial <= this.#lastSerial) this.#isInOrder = false
    else this.#lastSerial = resource.serial
  }

  #forget(uri: string): Resource | undefined {
    const found = this.#byUri.get(uri)
    if (found === undefined) return undefined
    this.#byUri.delete(uri)
    if (found.origin !== "device") this.#counted--
    // The next serial follows from what is there: a table that was made of the same records goes on with the same one.
    if (found.serial === this.#lastSerial) this.#lastSerial = this.#inOrder().at(-1)?.serial ?? 0
    return found
  }

  #inOrder(): Resource[] {
    const resources = [...this.#byUri.values()]
    if (this.#isInOrder) return resources
    resources.sort((one, other) => (isAfter(one, other) ? 1 : -1))
    this.#byUri = new Map(resources.map((resource) => [resource.uri, resource]))
    this.#isInOrder = true
    return resources
  }
}

/** By serial; those with the same, by the code units of their uri, which no language setting changes. */
function isAfter(one: Resource, other: Resource): boolean {
  return one.serial === other.serial ? one.uri > other.uri : one.serial > other.serial
}

function matches(condition: TagCondition, etag: string): boolean {
  return condition === null || condition === "*" || condition.includes(etag)
}

function refused(why: RefusedWhy, uri: string): Outcome {
  return { kind: "refused", why, uri }
}

/** The resource that a change is about, or whose child it makes. */
export function uriOf(change: Change): string {
  return change.kind === "addChild" ? change.parent : change.uri
}
