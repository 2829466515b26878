import { ResourceError } from "../errors.ts"
import { parseMediaType } from "../negotiate/media-type.ts"
import { whyNotUri } from "../uri/canonical-uri.ts"
import type { Change, TagCondition } from "./command.ts"
import { allMethods } from "./resource.ts"

/** A change is what its type says, with values that a table may hold. Throws `bad_argument`. */
export function checkChange(change: Change): void {
  checkUri(change.kind === "addChild" ? change.parent : change.uri)
  if ("below" in change) checkUri(change.below)
  if ("contentType" in change && change.contentType !== null) checkContentType(change.contentType)
  if ("methods" in change) checkMethods(change.methods, "methods")
  if ("childMethods" in change && change.childMethods !== undefined) {
    checkMethods(change.childMethods, "methods of children")
  }
  if ("ifMatch" in change) checkCondition(change.ifMatch)
  if ("ifNoneMatch" in change) checkCondition(change.ifNoneMatch)
}

/** Throws `bad_argument`. */
export function checkUri(uri: string): void {
  const why = whyNotUri(uri)
  if (why !== undefined) throw new ResourceError("bad_argument", `${why} Found ${quoted(uri)}.`)
}

/** Throws `bad_argument`. */
export function checkContentType(contentType: string): void {
  // Optional white space around it is no part of it.
  if (parseMediaType(contentType) !== undefined && contentType.trim() === contentType) return
  throw new ResourceError(
    "bad_argument",
    `Expected a media type, like text/plain; found ${quoted(contentType)}.`,
  )
}

/** Throws `bad_argument`. */
export function checkMethods(methods: number, name: string): void {
  if (Number.isInteger(methods) && methods >= 0 && methods <= allMethods) return
  throw new ResourceError(
    "bad_argument",
    `Expected the ${name} as a sum of GET 1, PUT 2, POST 4 and DELETE 8; found ${methods}.`,
  )
}

// RFC 9110 §8.8.3, of visible ASCII.
const tag = /^[!#-~]*$/

function checkCondition(condition: TagCondition): void {
  if (condition === null || condition === "*" || condition.every((text) => tag.test(text))) return
  throw new ResourceError("bad_argument", "Expected entity tags without quotes, of visible ASCII.")
}

const maxQuotedChars = 60

/** What was found, shortened, with whatever a terminal would take as an order escaped. */
export function quoted(text: string): string {
  const short = text.length > maxQuotedChars ? `${text.slice(0, maxQuotedChars)}…` : text
  return JSON.stringify(short).replace(/[\u007f-\u009f]/g, "?")
}
