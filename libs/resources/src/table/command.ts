import type { Resource, ResourceOrigin, Telling } from "./resource.ts"

/** Entity tags without quotes, `*` for any, or null: no condition. */
export type TagCondition = readonly string[] | "*" | null

export interface Add {
  readonly kind: "add"
  readonly uri: string
  readonly contentType: string
  readonly value: Uint8Array
  readonly methods: number
  /** Default: GET, PUT and DELETE. */
  readonly childMethods?: number
  readonly origin: ResourceOrigin
}

/** Makes a resource below `parent`, whose last segment is a free number of five digits. */
export interface AddChild {
  readonly kind: "addChild"
  readonly parent: string
  /** null: the parent's. */
  readonly contentType: string | null
  readonly value: Uint8Array
  /** It is done only if the parent takes POST. */
  readonly asMethod?: boolean
}

/** Replaces value and type of what is there; makes nothing. */
export interface Put {
  readonly kind: "put"
  readonly uri: string
  /** null: it keeps its own. */
  readonly contentType: string | null
  readonly value: Uint8Array
  readonly ifMatch: TagCondition
  readonly ifNoneMatch: TagCondition
  /** It is done only if the resource takes PUT. */
  readonly asMethod?: boolean
}

export interface SetMethods {
  readonly kind: "methods"
  readonly uri: string
  readonly methods: number
  /** Default: they stay as they are. */
  readonly childMethods?: number
}

export interface Remove {
  readonly kind: "remove"
  readonly uri: string
  /** With all that is below it, by segments. */
  readonly recursive: boolean
  readonly ifMatch: TagCondition
  /** It is done only if the resource, and all that would go with it, take DELETE. */
  readonly asMethod?: boolean
}

/**
 * What a device says of a resource of its own, which is made if it is not there. Several may bring the same word, late and in
 * disorder: one that is not newer than what the resource has is refused as `precondition`.
 */
export interface Tell {
  readonly kind: "tell"
  readonly uri: string
  readonly contentType: string
  /** null: the resource goes; only one that a device made does. */
  readonly value: Uint8Array | null
  /** What it takes if a device made it. */
  readonly methods: number
  readonly told: Telling
  /** The uri below which all of the device's are. */
  readonly below: string
  /** How many of devices may be there. */
  readonly most: number
}

export type Change = Add | AddChild | Put | SetMethods | Remove | Tell

/** A change with all that its outcome depends on beside the table, so that whoever applies it comes to the same. */
export interface Command {
  /** Who sent it knows it again by this. */
  readonly id: string
  /** Wall time in milliseconds. */
  readonly at: number
  /** Where the search for a free number begins; 32 bits, unsigned. */
  readonly seed: number
  /** How many resources there may be, those of devices beside. */
  readonly maxUri: number
  readonly change: Change
}

export type RefusedWhy = "exists" | "unknown" | "full" | "precondition" | "method"

export type Outcome =
  | {
      readonly kind: "done"
      /** As it is now, or was before it was removed. */
      readonly resource: Resource
      /** Of a removal: every uri that is gone, in the order of insertion. */
      readonly removed?: readonly string[]
    }
  | {
      readonly kind: "refused"
      readonly why: RefusedWhy
      /** The resource that it is about: there already, not there, or in the way. */
      readonly uri: string
    }
