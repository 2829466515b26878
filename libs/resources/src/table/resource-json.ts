import { ResourceError } from "../errors.ts"
import { checkContentType, checkMethods, checkUri } from "./check-change.ts"
import { entityTagOf } from "./entity-tag-of.ts"
import { type JsonFields, parseJsonObject } from "./json-fields.ts"
import { valueOfJson, valueToJson } from "./json-value.ts"
import {
  allMethods,
  defaultChildMethods,
  GET,
  maxSerial,
  maxTimeMs,
  type Resource,
  resourceOrigins,
  type Telling,
} from "./resource.ts"

/** `{"uri", "ct", "enc", "v", "m", "cm", "etag", "serial", "ts", "origin", "told"}`, `v` as text or, with `enc` base64, as that. */
export function encodeResource(resource: Resource): string {
  const { uri, contentType, value, methods, childMethods, etag, serial, changedAt, origin, told } = resource
  return JSON.stringify({
    uri,
    ct: contentType,
    ...valueToJson(value),
    m: methods,
    cm: childMethods,
    etag,
    serial,
    ts: changedAt,
    origin,
    told,
  })
}

/** What a record has when its JSON says nothing of it. */
export interface ResourceDefaults {
  /** Where it is kept, as its topic says; JSON that names another uri is refused. */
  readonly uri?: string
  /** Default: 0. */
  readonly changedAt?: number
}

/**
 * People write such JSON by hand: all but `v` has a default, so that `{"v":"21.5"}` is a resource of `defaults.uri`. The entity
 * tag is always the one of type and value, whatever is written there. Throws `bad_json`.
 */
export function parseResource(text: string, defaults: ResourceDefaults = {}): Resource {
  const fields = parseJsonObject(text, "a resource")
  const uri = fields.string("uri", defaults.uri)
  if (defaults.uri !== undefined && uri !== defaults.uri) {
    throw fields.bad(`${JSON.stringify(defaults.uri)}, where it is kept, in "uri"`, uri)
  }
  const contentType = fields.string("ct", "text/plain")
  const value = valueOfJson(fields)
  const methods = fields.integer("m", allMethods, GET)
  const childMethods = fields.integer("cm", allMethods, defaultChildMethods)
  asJson(() => {
    checkUri(uri)
    checkContentType(contentType)
    checkMethods(methods, "methods")
  })
  return Object.freeze({
    uri,
    contentType,
    value,
    methods,
    childMethods,
    etag: entityTagOf(contentType, value),
    serial: fields.integer("serial", maxSerial, 0),
    changedAt: fields.integer("ts", maxTimeMs, defaults.changedAt ?? 0),
    origin: fields.oneOf("origin", resourceOrigins, "api"),
    ...(fields.has("told") ? { told: tellingOf(fields.object("told")) } : {}),
  })
}

/** `{"of", "at"}` */
export function tellingOf(fields: JsonFields): Telling {
  return { of: fields.string("of"), at: fields.integer("at", Number.MAX_SAFE_INTEGER) }
}

/** What `check` refuses was in JSON. */
export function asJson(check: () => void): void {
  try {
    check()
  } catch (error) {
    if (!(error instanceof ResourceError)) throw error
    throw new ResourceError("bad_json", error.message, { cause: error })
  }
}
