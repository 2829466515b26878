/** What can be wrong with a call of this library, whoever makes it; stable codes. */
export type ResourceErrorCode =
  | "bad_argument"
  | "bad_json"
  | "already_initialized"
  | "not_initialized"
  | "already_added"
  | "unknown_resource"
  | "full"
  | "listen_failed"
  | "store_unavailable"

/** Its message says what was expected and what was found. */
export class ResourceError extends Error {
  override readonly name: string = "ResourceError"
  readonly code: ResourceErrorCode

  constructor(code: ResourceErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}

/** A store cannot change anything now, as when its broker is away; a request for it is answered with 503. */
export class StoreUnavailable extends ResourceError {
  override readonly name = "StoreUnavailable"

  constructor(message: string, options?: { cause?: unknown }) {
    super("store_unavailable", message, options)
  }
}
