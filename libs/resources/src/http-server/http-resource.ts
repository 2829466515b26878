import { methodBits } from "../answer/allow.ts"
import type { ResourceMethod } from "../answer/request.ts"
import type { Change, Outcome } from "../table/command.ts"
import type { Resource } from "../table/resource.ts"
import { encodeValue, type ResourceValue, type ValueOptions } from "./resource-value.ts"

/**
 * Called after each answer, also to what was refused with 4xx or 5xx, but for 404 and 405. It has no say in the answer.
 *
 * - `method`: GET, PUT, POST or DELETE; a HEAD counts as a GET
 * - `headers`: as they came; of a repeated one the last
 * - `body`: as text; `bytes` are the same untouched
 * - `newUri`: of the resource that a POST made; empty otherwise
 */
export type RequestCallback = (
  uri: string,
  method: number,
  headers: Readonly<Record<string, string>>,
  body: string,
  newUri: string,
  status: number,
  bytes: Uint8Array,
) => void | Promise<void>

/** What a resource needs of the server that it is of; both throw when it is there no more. */
export interface ResourceOwner {
  record(uri: string): Resource
  change(change: Change): Outcome
  register(uri: string, callback: RequestCallback | undefined): void
}

/** A resource of an `HttpServer`, for the program that runs it. All calls throw `unknown_resource` once it was removed. */
export class HttpResource {
  readonly uri: string
  readonly #owner: ResourceOwner

  constructor(uri: string, owner: ResourceOwner) {
    this.uri = uri
    this.#owner = owner
  }

  get contentType(): string {
    return this.#owner.record(this.uri).contentType
  }

  /** A copy of the value. */
  value(): Uint8Array
  /** Sets it, and keeps the type. Throws `bad_argument`. */
  value(value: ResourceValue, options?: ValueOptions): void
  value(value?: ResourceValue, options?: ValueOptions): Uint8Array | void {
    const { value: current } = this.#owner.record(this.uri)
    if (value === undefined) return Uint8Array.from(current)
    const bytes = encodeValue(value, options)
    const condition = { ifMatch: null, ifNoneMatch: null }
    this.#owner.change({ kind: "put", uri: this.uri, contentType: null, value: bytes, ...condition })
  }

  /**
   * From now on it takes these methods, a sum of GET, PUT, POST and DELETE, and no others, and `callback` is told of their
   * requests; what was registered before is forgotten. Throws `bad_argument`.
   */
  registerRequestHandler(methods: number, { callback }: { readonly callback?: RequestCallback } = {}): void {
    this.#owner.record(this.uri)
    this.#owner.change({ kind: "methods", uri: this.uri, methods })
    this.#owner.register(this.uri, callback)
  }
}

/** The constant that the original's callback has for a method. */
export function methodConstant(method: ResourceMethod): number {
  return methodBits[method]
}
