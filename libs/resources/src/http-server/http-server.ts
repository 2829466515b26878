import { systemClock } from "@serialcast/primitives"
import type { RequestEvent } from "../answer/request.ts"
import { ResourceError } from "../errors.ts"
import type { BoundAddress, RunningServer } from "../http/start-server.ts"
import { warn } from "../http/warn.ts"
import { createMemoryStore, type MemoryStore } from "../store/memory-store.ts"
import { quoted } from "../table/check-change.ts"
import type { Change, Outcome } from "../table/command.ts"
import { DELETE, defaultMaxUri, GET, POST, PUT, type Resource } from "../table/resource.ts"
import { HttpResource, methodConstant, type RequestCallback, type ResourceOwner } from "./http-resource.ts"
import type { InitOptions } from "./init-options.ts"
import { encodeValue, type ResourceValue, type ValueOptions } from "./resource-value.ts"
import { start } from "./start.ts"

export interface AddOptions extends ValueOptions {
  /** Default: `0`. */
  readonly value?: ResourceValue
  /** Default: text/plain. */
  readonly contentType?: string
  /** What children that a POST makes take. Default: GET, PUT and DELETE. */
  readonly childMethods?: number
}

/**
 * URIs with types and values over HTTP, as Pycom's `HTTP_Server` has them, each with a callback that is told of every request.
 * Everything but `init` throws `not_initialized` before it; `deinit` forgets all resources.
 */
export class HttpServer implements AsyncDisposable {
  static readonly GET = GET
  static readonly PUT = PUT
  static readonly POST = POST
  static readonly DELETE = DELETE

  static readonly TEXT = "text/html"
  static readonly XML = "text/xml"
  static readonly PLAIN = "text/plain"
  static readonly JSON = "application/json"
  static readonly OCTET = "application/octet-stream"
  static readonly APP_XML = "application/xml"

  /** From the first moment of `init` to the last one of `deinit`. */
  #running: Promise<RunningServer> | null = null
  #store: MemoryStore | null = null
  #onError: ((error: unknown) => void) | undefined
  readonly #callbacks = new Map<string, RequestCallback>()
  readonly #owner: ResourceOwner = {
    record: (uri) => this.#record(uri),
    change: (change) => this.#change(change),
    register: (uri, callback) => {
      if (callback === undefined) this.#callbacks.delete(uri)
      else this.#callbacks.set(uri, callback)
    },
  }

  /**
   * Starts to listen, and answers where. Throws `already_initialized`, `bad_argument` for files and options that are none, and
   * `listen_failed`.
   */
  async init(options: InitOptions = {}): Promise<BoundAddress> {
    if (this.#running !== null) {
      throw new ResourceError("already_initialized", "The server is initialized already: call deinit first.")
    }
    const { maxUri = defaultMaxUri, clock = systemClock, random = Math.random } = options
    const store = createMemoryStore({ maxUri, clock, random })
    this.#store = store
    this.#onError = options.onError
    this.#running = start(store, options, (event) => this.#tell(event))
    try {
      return (await this.#running).address
    } catch (error) {
      this.#running = null
      this.#forget()
      throw error
    }
  }

  /** Stops listening, ends all connections within a moment, and forgets all resources. */
  async deinit(): Promise<void> {
    if (this.#running === null) throw notInitialized()
    const running = await this.#running
    await running.stop()
    this.#running = null
    this.#forget()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#running !== null) await this.deinit()
  }

  /**
   * Throws `already_added`, `full`, and `bad_argument`. Until a handler is registered, a resource takes no method: it is
   * answered with 405.
   */
  addResource(uri: string, options: AddOptions = {}): HttpResource {
    const { value = "0", contentType = HttpServer.PLAIN, childMethods } = options
    this.#change({
      kind: "add",
      uri,
      contentType,
      value: encodeValue(value, options),
      methods: 0,
      ...(childMethods === undefined ? {} : { childMethods }),
      origin: "static",
    })
    return new HttpResource(uri, this.#owner)
  }

  /** Also of one that a POST made. Throws `unknown_resource`. */
  getResource(uri: string): HttpResource {
    return new HttpResource(this.#record(uri).uri, this.#owner)
  }

  /** Uris that begin with this text, in the order of insertion: `/res` finds `/resource1` too. */
  listResource(uriStart = "/"): string[] {
    return this.#open()
      .list(uriStart)
      .map(({ uri }) => uri)
  }

  /** Keeps what is below it. Throws `unknown_resource`. */
  removeResource(uri: string): void {
    this.#record(uri)
    this.#change({ kind: "remove", uri, recursive: false, ifMatch: null })
    this.#callbacks.delete(uri)
  }

  #open(): MemoryStore {
    if (this.#store === null) throw notInitialized()
    return this.#store
  }

  #record(uri: string): Resource {
    const found = this.#open().get(uri)
    if (found === undefined)
      throw new ResourceError("unknown_resource", `There is no resource ${quoted(uri)}.`)
    return found
  }

  #change(change: Change): Outcome {
    const outcome = this.#open().applyNow(change)
    if (outcome.kind === "done") return outcome
    const uri = quoted(outcome.uri)
    if (outcome.why === "exists")
      throw new ResourceError("already_added", `There is a resource ${uri} already.`)
    if (outcome.why === "full") {
      throw new ResourceError(
        "full",
        `There is no room for ${uri}: remove a resource, or give init a greater maxUri.`,
      )
    }
    throw new ResourceError("unknown_resource", `Resource ${uri} takes no such change: ${outcome.why}.`)
  }

  #tell(event: RequestEvent): void {
    const { uri, method, headers, body, newUri, status } = event
    const callback = this.#callbacks.get(uri)
    if (method === "DELETE") this.#forgetRemoved()
    if (callback === undefined) return
    const text = new TextDecoder().decode(body)
    const told = callback(uri, methodConstant(method), headers, text, newUri, status, body)
    // A promise of its own: one that fails is told like a callback that throws.
    void told?.catch((error: unknown) => (this.#onError ?? warn)(error))
  }

  #forgetRemoved(): void {
    for (const uri of this.#callbacks.keys()) {
      if (this.#store?.get(uri) === undefined) this.#callbacks.delete(uri)
    }
  }

  #forget(): void {
    this.#store = null
    this.#callbacks.clear()
  }
}

function notInitialized(): ResourceError {
  return new ResourceError("not_initialized", "Call init first: the server is not initialized.")
}
