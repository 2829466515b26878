import { AppError, parseJsonObject } from "@serialcast/contract"
import { type Add, allMethods, type Resource, type SetMethods } from "@serialcast/resources"
import { methodNames, parseMethods } from "./method-names.ts"

/** A resource as the management lists it; its value is at its address. */
export function describeResource(resource: Resource): object {
  const { uri, contentType, value, methods, childMethods, etag, changedAt, origin } = resource
  return {
    uri,
    contentType,
    bytes: value.byteLength,
    methods: methodNames(methods),
    childMethods: methodNames(childMethods),
    etag,
    changed: new Date(changedAt).toISOString(),
    origin,
  }
}

const addMembers = ["uri", "contentType", "value", "base64", "methods", "childMethods"]
const patchMembers = ["methods", "childMethods"]
// As the original: an integer, of which we show the digits.
const defaultValue = "0"

/** `{uri, contentType, value, methods}`, of which only `uri` is needed; bytes that are no text as `base64`. Throws `bad_request`. */
export function parseAdd(body: Uint8Array): Add {
  const members = membersOf(body, addMembers)
  const { uri, contentType = "text/plain", methods, childMethods } = members
  return {
    kind: "add",
    uri: text(uri, "uri"),
    contentType: text(contentType, "contentType"),
    value: valueOf(members),
    methods: methods === undefined ? allMethods : parseMethods(methods, "methods"),
    ...(childMethods === undefined ? {} : { childMethods: parseMethods(childMethods, "childMethods") }),
    origin: "api",
  }
}

/** `{methods, childMethods}`, of which one is enough; `now` has the others. Throws `bad_request`. */
export function parsePatch(body: Uint8Array, now: Resource): SetMethods {
  const { methods, childMethods } = membersOf(body, patchMembers)
  return {
    kind: "methods",
    uri: now.uri,
    methods: methods === undefined ? now.methods : parseMethods(methods, "methods"),
    childMethods: childMethods === undefined ? now.childMethods : parseMethods(childMethods, "childMethods"),
  }
}

function membersOf(body: Uint8Array, names: readonly string[]): Readonly<Record<string, unknown>> {
  const members = parseJsonObject(body, "The body is not JSON.")
  const unknown = Object.keys(members).find((name) => !names.includes(name))
  if (unknown === undefined) return members
  throw new AppError(
    "bad_request",
    `Expected ${names.join(", ")}; found ${JSON.stringify(unknown.slice(0, 100))}.`,
  )
}

function valueOf({ value, base64 }: Readonly<Record<string, unknown>>): Uint8Array {
  if (value !== undefined && base64 !== undefined)
    throw new AppError("bad_request", "Expected value or base64; found both.")
  if (base64 === undefined) return new TextEncoder().encode(text(value ?? defaultValue, "value"))
  const given = text(base64, "base64")
  const bytes = new Uint8Array(Buffer.from(given, "base64"))
  // Node passes over what is no base64.
  if (Buffer.from(bytes).toString("base64").replaceAll("=", "") === given.replaceAll("=", "")) return bytes
  throw new AppError("bad_request", "Expected base64 (RFC 4648 §4) as base64.")
}

function text(found: unknown, name: string): string {
  if (typeof found === "string") return found
  throw new AppError(
    "bad_request",
    `Expected text as ${name}; found ${JSON.stringify(found)?.slice(0, 100)}.`,
  )
}
