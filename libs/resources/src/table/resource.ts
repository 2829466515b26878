/** The bits of `methods`, as the original has them. */
export const GET = 1
export const PUT = 2
export const POST = 4
export const DELETE = 8
export const allMethods = GET | PUT | POST | DELETE

/** What a resource that a POST made takes, unless its parent says otherwise. */
export const defaultChildMethods = GET | PUT | DELETE

/** How many there may be, unless somebody says otherwise: as the original. */
export const defaultMaxUri = 100

/** Half of the safe integers: what comes from elsewhere with a greater one is refused. */
export const maxSerial = 2 ** 52

/** The last time that a date can be (ECMA-262 §21.4.1.1), in milliseconds: what comes with a later one is refused. */
export const maxTimeMs = 8.64e15

/** Who made a resource: a program, a POST, a call of the management API, or a device, which counts towards no limit. */
export type ResourceOrigin = "static" | "post" | "api" | "device"
export const resourceOrigins: readonly ResourceOrigin[] = ["static", "post", "api", "device"]

/** Which word of a device it is. */
export interface Telling {
  /** Names the order that `at` counts in; words of two orders are as they come. */
  readonly of: string
  readonly at: number
}

/** A record that does not change: another one takes its place. */
export interface Resource {
  /** Decoded text, as `whyNotUri` wants it. */
  readonly uri: string
  /** A media type as it was given, parameters too. */
  readonly contentType: string
  readonly value: Uint8Array
  /** Bits of GET, PUT, POST and DELETE. */
  readonly methods: number
  /** What is made below it by POST takes these. */
  readonly childMethods: number
  /** Strong entity tag of type and value, without its quotes. */
  readonly etag: string
  /** Order of insertion, from 1; those that nobody numbered have 0. */
  readonly serial: number
  /** When value and type were given, wall time in milliseconds. */
  readonly changedAt: number
  readonly origin: ResourceOrigin
  /** The word of a device that set it last. Absent: none did. */
  readonly told?: Telling
}
