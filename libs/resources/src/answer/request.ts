/** A request without its body. */
export interface RequestHead {
  /** As it came, `GET` for one. */
  readonly method: string
  /** RFC 9112 §3.2. */
  readonly target: string
  /** By name in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>
  /** As they came; of a repeated name the last one. For whoever is told of the request. */
  readonly sentHeaders: Readonly<Record<string, string>>
}

/** Methods that a resource is asked by. */
export type ResourceMethod = "GET" | "HEAD" | "PUT" | "POST" | "DELETE"

/** A request that met a resource, and what became of it. */
export interface RequestEvent {
  readonly uri: string
  readonly method: ResourceMethod
  /** As they came, credentials too. */
  readonly headers: Readonly<Record<string, string>>
  /** Empty where it was not read, as one that was too large. */
  readonly body: Uint8Array
  /** Of what a POST made; empty otherwise. */
  readonly newUri: string
  readonly status: number
}
